import {
  type Instant,
  decimal,
  epochMs,
  instantOfMs,
  parseCurrency,
  parseInstant,
  parseLocalDate,
  type LocalDate,
  type Currency,
} from '@billstream/kernel';
import type { ClosedUsage } from '@billstream/metering-contracts';
import type { BillingTransition, ResolvedPhase } from '@billstream/subscriptions-contracts';
import { type AccountInvoicesCommand, accountInvoices } from '../account-invoices/account-invoices.decider';
import type {
  AccountInvoicesEvent,
  BillingTimeline,
  CommittedInvoice,
  RecordedAccount,
  UsagePeriodRequest,
} from '../account-invoices/account-invoices.events';
import type { AccountInvoices } from '../account-invoices/account-invoices.state';

export const at = (text: string): Instant => {
  const instant = parseInstant(text.includes('T') ? text : `${text}T10:00:00.000Z`);
  if (instant === null) throw new RangeError(text);
  return instant;
};
/** Where a day of usage begins for an account in UTC. */
export const midnight = (date: string): Instant => at(`${date}T00:00:00.000Z`);
export const day = (text: string): LocalDate => {
  const date = parseLocalDate(text);
  if (date === null) throw new RangeError(text);
  return date;
};
export const currency = (code: string): Currency => {
  const known = parseCurrency(code);
  if (known === null) throw new RangeError(code);
  return known;
};

export const account = (facts: Partial<RecordedAccount> = {}): RecordedAccount => ({
  accountId: 'account-1',
  externalKey: 'jane',
  currency: currency('USD'),
  timeZone: 'UTC',
  referenceTime: at('2018-10-06'),
  billCycleDayLocal: 0,
  ...facts,
});

export const phase = (facts: Partial<ResolvedPhase> & { readonly price?: string } = {}): ResolvedPhase => {
  const { price = '20', ...rest } = facts;
  return {
    planName: 'standard-monthly',
    prettyPlanName: null,
    productName: 'Standard',
    prettyProductName: null,
    productCategory: 'BASE',
    priceList: 'DEFAULT',
    phaseName: 'standard-monthly-evergreen',
    prettyPhaseName: null,
    phaseType: 'EVERGREEN',
    duration: null,
    fixedPrice: null,
    recurring: { price: decimal(price), billingPeriod: 'MONTHLY' },
    recurringBillingMode: 'IN_ADVANCE',
    usages: [],
    billingAlignment: 'ACCOUNT',
    catalogEffectiveDate: at('2018-01-01'),
    ...rest,
  };
};

export const trial = (facts: Partial<ResolvedPhase> = {}): ResolvedPhase =>
  phase({
    phaseName: 'standard-monthly-trial',
    phaseType: 'TRIAL',
    duration: { unit: 'DAYS', number: 30 },
    fixedPrice: decimal(0),
    recurring: null,
    ...facts,
  });

export const transition = (
  kind: BillingTransition['kind'],
  when: string,
  charged: ResolvedPhase | null = null,
  facts: Partial<BillingTransition> = {},
): BillingTransition => ({
  transitionId: `${kind} ${when}`,
  kind,
  effectiveAt: at(when),
  phase: charged,
  quantity: 1,
  billCycleDayLocal: null,
  ...facts,
});

export const timeline = (
  transitions: readonly BillingTransition[],
  facts: Partial<BillingTimeline> = {},
): BillingTimeline => ({
  accountId: 'account-1',
  bundleId: 'bundle-1',
  bundleExternalKey: 'bundle',
  subscriptionId: 'subscription-1',
  externalKey: 'subscription',
  productCategory: 'BASE',
  transitions,
  firstBillableAt:
    transitions.find(({ phase: one }) => one?.recurring ?? one?.usages.length)?.effectiveAt ?? at('2018-10-06'),
  bundleFirstBillableAt: transitions[0]?.effectiveAt ?? at('2018-10-06'),
  ...facts,
});

/** What was used of a unit in as much of a period as has gone by. */
type Quantity = (unit: string, period: { readonly fromAt: Instant; readonly toAt: Instant }) => string;

/** An account whose clock moves in order: what was scheduled happens on the way, usage is answered at once. */
export const simulatedAccount = (
  quantity: Quantity = () => '0',
  startsAt = '2018-10-06',
  /** The rule that metered the unit; null: it was reported. */
  ruleOf: (unit: string) => ClosedUsage['rule'] = () => null,
) => {
  let state: AccountInvoices = accountInvoices.initial;
  let now = at(startsAt);
  const log: AccountInvoicesEvent[] = [];

  const answer = (event: AccountInvoicesEvent, { settings }: Pick<AccountInvoicesCommand, 'settings'>): void => {
    if (event.type !== 'UsageRequested') return;
    const { requestId, subscriptionId, periods } = event.data;
    const used = ({ unit, fromAt, toAt }: UsagePeriodRequest): string =>
      quantity(unit, { fromAt, toAt: toAt < now ? toAt : now });
    const usages = periods.map((period) => ({
      ...period,
      quantity: decimal(used(period)),
      metered: decimal(used(period)),
      free: decimal(0),
      records: 1,
      syntheticBuckets: 0,
      rule: ruleOf(period.unit),
      countedTo: '0',
    }));
    issue({ type: 'RecordUsage', requestId, subscriptionId, usages, now, ...(settings && { settings }) });
  };

  const issue = (command: AccountInvoicesCommand): readonly AccountInvoicesEvent[] => {
    const decision = accountInvoices.decide(command, state);
    if ('rejected' in decision) throw new Error(JSON.stringify(decision.rejected));
    state = decision.events.reduce(accountInvoices.evolve, state);
    log.push(...decision.events);
    for (const event of decision.events) answer(event, command);
    return decision.events;
  };

  return {
    events: log,
    state: (): AccountInvoices => state,
    issue,
    invoices: (): readonly CommittedInvoice[] =>
      log.flatMap((event) => (event.type === 'InvoiceCommitted' ? [event.data] : [])),
    record: (facts: RecordedAccount = account()) => issue({ type: 'RecordAccount', account: facts, now }),
    subscribe: (...transitions: readonly BillingTransition[]) =>
      issue({ type: 'RecordBillingTimeline', timeline: timeline(transitions), now }),
    invoice: (targetDate: string | null = null) =>
      issue({ type: 'Invoice', targetDate: targetDate === null ? null : day(targetDate), now }),
    pay: (invoiceId: string, amountMinor: number) =>
      issue({
        type: 'RecordPayment',
        payment: {
          accountId: 'account-1',
          invoiceId,
          paymentId: `payment of ${invoiceId}`,
          transactionId: `transaction ${log.length}`,
          transactionType: 'PURCHASE',
          status: 'SUCCESS',
          amountMinor,
          currency: currency('USD'),
          effectiveAt: now,
        },
        now,
      }),
    moveTo: (when: string): void => {
      const target = at(when);
      for (let next = state.nextAt; next !== null && next <= target; next = state.nextAt) {
        now = next > now ? next : now;
        issue({ type: 'InvoiceDue', dueAt: next, now });
        if (state.nextAt === next) throw new Error(`the run of ${next} did not schedule another`);
      }
      now = instantOfMs(Math.max(epochMs(now), epochMs(target)));
    },
  };
};

/** `RECURRING 2018-10-06→2018-11-06 20.00`, in USD. */
export const lines = (invoice: CommittedInvoice | undefined): readonly string[] =>
  (invoice?.items ?? []).map(
    ({ type, startDate, endDate, amountMinor }) =>
      `${type} ${startDate}→${endDate ?? ''} ${(amountMinor / 100).toFixed(2)}`,
  );
