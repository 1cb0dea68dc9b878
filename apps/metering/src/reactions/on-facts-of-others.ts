import type { AccountsEvent } from '@billstream/accounts-contracts';
import type { Handled, PublicEvent } from '@billstream/event-sourcing';
import { type PlanInterval, meteredAccountStream } from '@billstream/metering-domain';
import type { BillingTransition, SubscriptionsEvent } from '@billstream/subscriptions-contracts';
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
    if (event.data.useGlobalDefault)
      await defineDefaultUnits(this.metering, { ...contextOf(event), tenantId: event.data.tenantId });
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
    const { accountId, subscriptionId, transitions } = event.data;
    const command = {
      type: 'RecordPlans' as const,
      accountId,
      subscriptionId,
      intervals: intervalsOf(subscriptionId, transitions),
    };
    settled(await this.metering.account(meteredAccountStream(accountId), command, contextOf(event)));
  }

  private async recordAccount(
    event: Heard<AccountsEvent, 'accounts.account-created.v1' | 'accounts.account-updated.v1'>,
  ): Promise<void> {
    const { accountId, externalKey: user, timeZone } = event.data;
    const command = { type: 'RecordAccount' as const, accountId, user, timeZone };
    settled(await this.metering.account(meteredAccountStream(accountId), command, contextOf(event)));
  }
}

/** Stretches of time on a plan; phases of one plan that price the same units are one stretch. */
export const intervalsOf = (
  subscriptionId: string,
  transitions: readonly BillingTransition[],
): readonly PlanInterval[] =>
  transitions
    .flatMap(({ phase, effectiveAt }, index): readonly PlanInterval[] => {
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
        },
      ];
    })
    .reduce<readonly PlanInterval[]>(joined, []);

const joined = (intervals: readonly PlanInterval[], next: PlanInterval): readonly PlanInterval[] => {
  const last = intervals.at(-1);
  const terms = ({ planName, category, units, capacityUnits }: PlanInterval): string =>
    JSON.stringify([planName, category, units, capacityUnits]);
  if (last === undefined || last.toAt !== next.fromAt || terms(last) !== terms(next)) return [...intervals, next];
  return [...intervals.slice(0, -1), { ...next, fromAt: last.fromAt }];
};

/** A fact of another context cannot be refused: if it is, one of the two is wrong, and the message must not be lost. */
const settled = (handled: Handled<object, unknown, never>): void => {
  if (handled.outcome !== 'accepted') throw new Error(`metering could not record what it was told: ${handled.outcome}`);
};
