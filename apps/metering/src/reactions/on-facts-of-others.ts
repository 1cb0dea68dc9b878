import type { AccountsEvent } from '@billstream/accounts-contracts';
import type { Handled, PublicEvent } from '@billstream/event-sourcing';
import type { Instant } from '@billstream/kernel';
import {
  type BillingCycle,
  type PlanInterval,
  meteredAccountStream,
  meteredTenantStream,
} from '@billstream/metering-domain';
import type { BillingPeriod, BillingTransition, SubscriptionsEvent } from '@billstream/subscriptions-contracts';
import { Controller, Inject } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { defineDefaultUnits } from '../default-units';
import { type Metering, contextOf, meteringToken } from '../metering';

type Heard<Events extends { readonly type: string; readonly data: object }, Type extends Events['type']> = PublicEvent<
  Type,
  Extract<Events, { readonly type: Type }>['data']
>;

/** What accounts and subscriptions tell becomes events of metering's own, once however often it is told. */
@Controller()
export class OnFactsOfOthers {
  constructor(@Inject(meteringToken) private readonly metering: Metering) {}

  @EventPattern('accounts.tenant-created.v1')
  async defineUnits(@Payload() event: Heard<AccountsEvent, 'accounts.tenant-created.v1'>): Promise<void> {
    const { tenantId, useGlobalDefault } = event.data;
    const context = { ...contextOf(event), tenantId };
    settled(await this.metering.tenant(meteredTenantStream(tenantId), { type: 'RecordTenant', tenantId }, context));
    if (useGlobalDefault) await defineDefaultUnits(this.metering, context);
  }

  @EventPattern('accounts.account-created.v1')
  async recordNewAccount(@Payload() event: Heard<AccountsEvent, 'accounts.account-created.v1'>): Promise<void> {
    await this.recordAccount(event);
  }

  @EventPattern('accounts.account-updated.v1')
  async recordChangedAccount(@Payload() event: Heard<AccountsEvent, 'accounts.account-updated.v1'>): Promise<void> {
    await this.recordAccount(event);
  }

  @EventPattern('subscriptions.billing-changed.v1')
  async recordPlans(@Payload() event: Heard<SubscriptionsEvent, 'subscriptions.billing-changed.v1'>): Promise<void> {
    const { accountId, subscriptionId, transitions, firstBillableAt, bundleFirstBillableAt } = event.data;
    const command = {
      type: 'RecordPlans' as const,
      accountId,
      subscriptionId,
      intervals: intervalsOf(subscriptionId, transitions, { firstBillableAt, bundleFirstBillableAt }),
    };
    settled(await this.metering.account(meteredAccountStream(accountId), command, contextOf(event)));
  }

  private async recordAccount(
    event: Heard<AccountsEvent, 'accounts.account-created.v1' | 'accounts.account-updated.v1'>,
  ): Promise<void> {
    const { accountId, externalKey: user, timeZone, billCycleDayLocal: billCycleDay } = event.data;
    const command = { type: 'RecordAccount' as const, accountId, user, timeZone, billCycleDay };
    settled(await this.metering.account(meteredAccountStream(accountId), command, contextOf(event)));
  }
}

/** Stretches of time on a plan; phases of one plan that price the same units are one stretch. */
export const intervalsOf = (
  subscriptionId: string,
  transitions: readonly BillingTransition[],
  alignments: Alignments,
): readonly PlanInterval[] =>
  transitions
    .flatMap(({ phase, effectiveAt, billCycleDayLocal }, index): readonly PlanInterval[] => {
      if (phase === null) return [];
      const { planName, productCategory: category, usages } = phase;
      const consumed = usages.flatMap(({ tiers }) => tiers.flatMap(({ blocks }) => blocks.map(({ unit }) => unit)));
      const levels = usages.flatMap(({ tiers }) => tiers.flatMap(({ limits }) => limits.map(({ unit }) => unit)));
      const capacityUnits = [...new Set(levels)];
      const units = [...new Set([...consumed, ...levels])];
      return [
        {
          subscriptionId,
          planName,
          category,
          fromAt: effectiveAt,
          toAt: transitions[index + 1]?.effectiveAt ?? null,
          units,
          capacityUnits,
          cycle: cycleOf(phase, billCycleDayLocal, alignments),
        },
      ];
    })
    .reduce<readonly PlanInterval[]>(joined, []);

type Alignments = { readonly firstBillableAt: Instant; readonly bundleFirstBillableAt: Instant };

/** Months of a period that is counted in months; the others are counted in days. */
const monthsOf: Readonly<Partial<Record<BillingPeriod, number>>> = {
  MONTHLY: 1,
  BIMESTRIAL: 2,
  QUARTERLY: 3,
  TRIANNUAL: 4,
  BIANNUAL: 6,
  ANNUAL: 12,
  SESQUIENNIAL: 18,
  BIENNIAL: 24,
  TRIENNIAL: 36,
};
const daysOf: Readonly<Partial<Record<BillingPeriod, number>>> = {
  DAILY: 1,
  WEEKLY: 7,
  BIWEEKLY: 14,
  THIRTY_DAYS: 30,
  THIRTY_ONE_DAYS: 31,
  SIXTY_DAYS: 60,
  NINETY_DAYS: 90,
};

/** How often the phase is billed, by its recurring price, else by its usage, else by the month. */
const cycleOf = (
  { recurring, usages, billingAlignment }: NonNullable<BillingTransition['phase']>,
  billCycleDay: number | null,
  { firstBillableAt, bundleFirstBillableAt }: Alignments,
): BillingCycle => {
  const periods = [recurring?.billingPeriod, ...usages.map(({ billingPeriod }) => billingPeriod)];
  const period = periods.find((one) => one !== undefined && one !== 'NO_BILLING_PERIOD') ?? 'MONTHLY';
  const days = daysOf[period];
  const length =
    days === undefined
      ? { unit: 'MONTHS' as const, number: monthsOf[period] ?? 1 }
      : { unit: 'DAYS' as const, number: days };
  const alignedAt = { ACCOUNT: null, SUBSCRIPTION: firstBillableAt, BUNDLE: bundleFirstBillableAt }[billingAlignment];
  return { ...length, billCycleDay: billCycleDay !== null && billCycleDay > 0 ? billCycleDay : null, alignedAt };
};

const joined = (intervals: readonly PlanInterval[], next: PlanInterval): readonly PlanInterval[] => {
  const last = intervals.at(-1);
  const terms = ({ planName, category, units, capacityUnits, cycle }: PlanInterval): string =>
    JSON.stringify([planName, category, units, capacityUnits, cycle]);
  if (last === undefined || last.toAt !== next.fromAt || terms(last) !== terms(next)) return [...intervals, next];
  return [...intervals.slice(0, -1), { ...next, fromAt: last.fromAt }];
};

/** A fact of another context cannot be refused: if it is, one of the two is wrong, and the message must not be lost. */
const settled = (handled: Handled<object, unknown, never>): void => {
  if (handled.outcome !== 'accepted') throw new Error(`metering could not record what it was told: ${handled.outcome}`);
};
