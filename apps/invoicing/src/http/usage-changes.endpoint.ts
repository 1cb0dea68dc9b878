import { type RequestContext, RequestCtx } from '@billstream/http';
import { type ChangedPeriod, type UsageChange, usageChanges } from '@billstream/invoicing-domain';
import { type Currency, formatMoney, money } from '@billstream/kernel';
import { Body, Controller, HttpCode, Inject, Post } from '@nestjs/common';
import { type Invoicing, invoicingToken } from '../invoicing';

type ChangedUsage = ChangedPeriod & { readonly accountId: string };

/** What metering sends: closed periods of the tenant as they would be counted after a change of usage. */
type ChangesBody = { readonly changed?: readonly ChangedUsage[] };

/**
 * Invoicing's part in the preview of a backfill or of corrections: what the change would be charged, or given back. The
 * gateway asks for it and puts it beside what metering said. Nothing is kept.
 */
@Controller('1.0/kb/internal/invoices')
export class UsageChangesEndpoint {
  constructor(@Inject(invoicingToken) private readonly invoicing: Invoicing) {}

  @Post('usageChanges')
  @HttpCode(200)
  async price(@Body() { changed = [] }: ChangesBody, @RequestCtx() { tenantId }: RequestContext): Promise<object> {
    const { invoicing } = this;
    const given = { now: invoicing.runtime.clock.now(tenantId), settings: await invoicing.settingsOf(tenantId) };
    const priced: Priced[] = [];
    for (const [accountId, periods] of byAccount(changed)) {
      const state = await invoicing.stateOf(accountId);
      const currency = state.account?.currency ?? null;
      priced.push(...usageChanges(state, periods, given).map((change) => ({ accountId, currency, ...change })));
    }
    return { charges: priced.map(chargeJson), totals: totalsOf(priced) };
  }
}

type Priced = UsageChange & { readonly accountId: string; readonly currency: Currency | null };

const byAccount = (changed: readonly ChangedUsage[]): ReadonlyMap<string, readonly ChangedUsage[]> => {
  const accounts = new Map<string, ChangedUsage[]>();
  for (const period of changed) {
    const others = accounts.get(period.accountId);
    if (others === undefined) accounts.set(period.accountId, [period]);
    else others.push(period);
  }
  return accounts;
};

const textOf = (minor: number | null, currency: Currency | null): string | null =>
  minor === null || currency === null ? null : formatMoney(money(minor, currency));

const chargeJson = ({ accountId, currency, fromAt, toAt, amountMinor, differenceMinor, ...change }: Priced) => ({
  ...{ accountId, subscriptionId: change.subscriptionId, usageName: change.usageName, from: fromAt, to: toAt },
  ...{ startDate: change.startDate, endDate: change.endDate, outcome: change.outcome, currency },
  amount: textOf(amountMinor, currency),
  difference: textOf(differenceMinor, currency),
});

/** By currency; what cannot be said is left out of them. */
const totalsOf = (priced: readonly Priced[]): readonly object[] => {
  const totals = new Map<Currency, { charged: number; credited: number }>();
  for (const { currency, amountMinor } of priced) {
    if (currency === null || amountMinor === null) continue;
    const total = totals.get(currency) ?? { charged: 0, credited: 0 };
    totals.set(currency, {
      charged: total.charged + Math.max(amountMinor, 0),
      credited: total.credited + Math.max(-amountMinor, 0),
    });
  }
  return [...totals].map(([currency, { charged, credited }]) => ({
    ...{ currency, charged: textOf(charged, currency), credited: textOf(credited, currency) },
  }));
};
