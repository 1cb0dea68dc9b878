import {
  type EventStore,
  type StoredEvent,
  type Decider,
  type DomainEvent,
  type Rejection,
  type Schema,
} from '@billstream/event-sourcing';
import { accountInvoices, accountInvoicesSchema, accountInvoicesStream } from '@billstream/invoicing-domain';
import {
  type Instant,
  decimal,
  derivedId,
  epochMs,
  localDateOf,
  dayOfMonth,
  parseCurrency,
  plusMs,
} from '@billstream/kernel';
import {
  meteredAccount,
  meteredAccountSchema,
  meteredAccountStream,
  subscriptionUsage,
  subscriptionUsageSchema,
  subscriptionUsageStream,
} from '@billstream/metering-domain';
import type { ResolvedPhase } from '@billstream/subscriptions-contracts';
import { inLanes } from './measure';
import { writer } from './writer';

export const tenantId = '3f0c3c4e-1c3b-4d61-9a40-000000000002';
const dayMs = 86_400_000;
export const periodMs = 30 * dayMs;
const usd = parseCurrency('USD');

/** One recurring line in advance and one usage line in arrear, each for thirty days. */
export const phaseOf = (catalogEffectiveDate: Instant): ResolvedPhase => ({
  planName: 'standard',
  prettyPlanName: null,
  productName: 'Standard',
  prettyProductName: null,
  productCategory: 'BASE',
  priceList: 'DEFAULT',
  phaseName: 'standard-evergreen',
  prettyPhaseName: null,
  phaseType: 'EVERGREEN',
  duration: null,
  fixedPrice: null,
  recurring: { price: decimal(20), billingPeriod: 'THIRTY_DAYS' },
  recurringBillingMode: 'IN_ADVANCE',
  usages: [
    {
      name: 'standard-calls',
      usageType: 'CONSUMABLE',
      billingMode: 'IN_ARREAR',
      billingPeriod: 'THIRTY_DAYS',
      tierBlockPolicy: 'ALL_TIERS',
      tiers: [
        {
          blocks: [{ unit: 'calls', size: decimal(1), max: null, price: decimal('0.01') }],
          limits: [],
          recurringPrice: null,
        },
      ],
    },
  ],
  billingAlignment: 'SUBSCRIPTION',
  catalogEffectiveDate,
});

/** What a command of the real decider decides on a new stream, as it is stored. */
const decided = <Command, Event extends DomainEvent, State, Refusal extends Rejection>(
  stream: string,
  at: Instant,
  { decider, schema }: { readonly decider: Decider<Command, Event, State, Refusal>; readonly schema: Schema<Event> },
  commands: readonly Command[],
): readonly StoredEvent[] => {
  const write = writer(stream, decider, schema, tenantId);
  return commands.flatMap((command) => write(command, at));
};

/**
 * Accounts whose next invoice is due at `dueAt`: begun thirty days before it, charged for these days, and with some usage
 * in them. Written by the real deciders, as if the other services had told of them.
 */
export const seedDueAccounts = async (store: EventStore, accounts: number, dueAt: Instant): Promise<void> => {
  const startsAt = plusMs(dueAt, -periodMs);
  const account = {
    currency: usd,
    timeZone: 'UTC',
    referenceTime: startsAt,
    billCycleDayLocal: dayOfMonth(localDateOf(startsAt, { timeZone: 'UTC', referenceTime: startsAt })),
  };
  const phase = phaseOf(startsAt);
  await inLanes(64, accounts, async (number) => {
    const id = (name: string): string => derivedId('month end', String(number), name);
    const [accountId, subscriptionId] = [id('account'), id('subscription')];
    const externalKey = `customer-${number}`;
    const transition = {
      transitionId: id('start'),
      kind: 'START',
      effectiveAt: startsAt,
      phase,
      quantity: 1,
      billCycleDayLocal: null,
    } as const;
    const timeline = {
      accountId,
      bundleId: id('bundle'),
      bundleExternalKey: id('bundle'),
      subscriptionId,
      externalKey: subscriptionId,
      productCategory: 'BASE',
      transitions: [transition],
      firstBillableAt: startsAt,
      bundleFirstBillableAt: startsAt,
    } as const;
    const interval = {
      subscriptionId,
      planName: phase.planName,
      category: 'BASE',
      fromAt: startsAt,
      toAt: null,
      units: ['calls'],
      capacityUnits: [],
    } as const;
    const streams = [
      {
        name: meteredAccountStream(accountId),
        events: decided(
          meteredAccountStream(accountId),
          startsAt,
          { decider: meteredAccount, schema: meteredAccountSchema },
          [
            { type: 'RecordAccount', accountId, user: externalKey, timeZone: 'UTC' },
            { type: 'RecordPlans', accountId, subscriptionId, intervals: [interval] },
          ],
        ),
      },
      {
        name: subscriptionUsageStream(subscriptionId),
        events: decided(
          subscriptionUsageStream(subscriptionId),
          startsAt,
          { decider: subscriptionUsage, schema: subscriptionUsageSchema },
          [
            {
              subscriptionId,
              trackingId: id('report'),
              records: [{ unit: 'calls', atMs: epochMs(startsAt) + dayMs, amount: decimal(1 + (number % 500)) }],
            },
          ],
        ),
      },
      {
        name: accountInvoicesStream(accountId),
        events: decided(
          accountInvoicesStream(accountId),
          startsAt,
          { decider: accountInvoices, schema: accountInvoicesSchema },
          [
            { type: 'RecordAccount', account: { accountId, externalKey, ...account }, now: startsAt },
            { type: 'RecordBillingTimeline', timeline, now: startsAt },
          ],
        ),
      },
    ];
    for (const { name, events } of streams) await store.append(name, 'none', events);
  });
};
