import {
  type AccountEvent,
  type FiguresEvent,
  type ProfileEvent,
  account,
  accountSchema,
  accountStream,
  emptyProfile,
  figures,
  figuresSchema,
  figuresStream,
  noTerms,
  profile,
  profileSchema,
  profileStream,
} from '@billstream/accounts-domain';
import type { EventStore, Rejection, StoredEvent } from '@billstream/event-sourcing';
import { type Instant, type LocalDate, derivedId, instantOfMs, parseCurrency } from '@billstream/kernel';
import {
  type BundleCommand,
  type SubscriberAccount,
  bundleDecider,
  bundleSchema,
  bundleStream,
  defaultCatalog,
} from '@billstream/subscriptions-domain';
import { type Chunk, appendMonths, writer } from './writer';

const begin = Date.UTC(2024, 0, 1);
const dayMs = 86_400_000;
const usd = parseCurrency('USD');
if (usd === null) throw new Error('there is no USD');

/** One customer: an account, a bundle with a subscription that changes its plan, and what billing tells of it each month. */
const customer = (seed: number, number: number) => {
  const id = (name: string): string => derivedId(String(seed), String(number), name);
  const accountId = id('account');
  const subscriptionId = id('subscription');
  const started = begin + (number % 28) * dayMs;
  const owner: SubscriberAccount = {
    accountId,
    currency: usd,
    time: { timeZone: 'Etc/UTC', referenceTime: instantOfMs(started) },
    billCycleDayLocal: 1 + (number % 28),
  };
  const toAccount = writer<
    Parameters<typeof account.decide>[0],
    AccountEvent,
    Parameters<typeof account.evolve>[0],
    Rejection
  >(accountStream(accountId), account, accountSchema);
  const toProfile = writer<Parameters<typeof profile.decide>[0], ProfileEvent, typeof emptyProfile, Rejection>(
    profileStream(accountId),
    profile,
    profileSchema,
  );
  const toFigures = writer<
    Parameters<typeof figures.decide>[0],
    FiguresEvent,
    Parameters<typeof figures.evolve>[0],
    Rejection
  >(figuresStream(accountId), figures, figuresSchema);
  const toBundle = writer(bundleStream(id('bundle')), bundleDecider, bundleSchema);
  const bundle = (command: BundleCommand, at: Instant): readonly StoredEvent[] => toBundle(command, at);

  const joins = (): readonly Chunk[] => {
    const at = instantOfMs(started);
    const name = `Customer ${number}`;
    return [
      {
        stream: accountStream(accountId),
        events: [
          ...toAccount(
            {
              type: 'CreateAccount',
              data: {
                accountId,
                terms: { ...noTerms, externalKey: `customer-${seed}-${number}`, currency: usd },
                parentKnown: true,
                at,
              },
            },
            at,
          ),
          ...toAccount({ type: 'ChooseBillCycleDay', data: { billCycleDayLocal: owner.billCycleDayLocal } }, at),
        ],
      },
      {
        stream: profileStream(accountId),
        events: toProfile(
          {
            type: 'RecordProfile',
            data: {
              accountId,
              fields: { ...emptyProfile, name, email: `${number}@example.com`, country: 'US', locale: 'en_US' },
              onNull: 'keep',
            },
          },
          at,
        ),
      },
      {
        stream: bundleStream(id('bundle')),
        events: bundle(
          {
            type: 'StartSubscriptions',
            data: {
              bundleId: id('bundle'),
              externalKey: null,
              account: owner,
              catalog: [defaultCatalog],
              now: at,
              entitlementAt: null,
              billingAt: null,
              migrated: false,
              subscriptions: [
                {
                  subscriptionId,
                  externalKey: null,
                  plan: { planName: 'standard-monthly' },
                  startIn: null,
                  quantity: 1,
                  billCycleDayLocal: null,
                  priceOverrides: [],
                },
              ],
            },
          },
          at,
        ),
      },
    ];
  };
  const month = (turn: number): readonly Chunk[] => {
    const now = instantOfMs(started + (40 + turn * 30) * dayMs);
    const events = [
      ...(turn === 0 ? bundle({ type: 'ReachTransitions', data: { now } }, now) : []),
      ...bundle(
        {
          type: 'RecordChargedThrough',
          data: { now, subscriptions: [{ subscriptionId, chargedThroughDate: now.slice(0, 10) as LocalDate }] },
        },
        now,
      ),
      ...bundle(
        {
          type: 'ChangeQuantity',
          data: {
            subscriptionId,
            now,
            changeId: `quantity-${turn}`,
            effectiveAt: now,
            quantity: 2 + turn,
            account: owner,
          },
        },
        now,
      ),
    ];
    const balance = (
      minor: number,
    ): FiguresEvent['data'] & {
      readonly balanceMinor: number;
      readonly currency: typeof usd;
      readonly creditMinor: number;
    } => ({ accountId, currency: usd, balanceMinor: minor, creditMinor: 0 });
    const told = [
      ...toFigures({ type: 'RecordBalance', data: balance(2_000 + turn) }, now),
      ...toFigures({ type: 'RecordBalance', data: balance(0) }, now),
    ];
    return [
      { stream: bundleStream(id('bundle')), events },
      { stream: figuresStream(accountId), events: told },
    ];
  };
  return { joins, month };
};

const months = 4;

export type Seeded = { readonly events: number; readonly accounts: number; readonly bundles: number };

/** Fills the log with customers until it holds so many events of accounts and bundles; months of all customers are mingled. */
export const seedCustomers = async (store: EventStore, seed: number, eventsMin: number): Promise<Seeded> => {
  const sample = customer(seed, 0);
  const perCustomer = [sample.joins(), ...Array.from({ length: months }, (_, turn) => sample.month(turn))]
    .flat()
    .reduce((sum, { events }) => sum + events.length, 0);
  const customers = Array.from({ length: Math.ceil(eventsMin / perCustomer) }, (_, number) =>
    customer(seed, number + 1),
  );
  const written = await appendMonths(store, months, customers);
  const bundles = written.get('bundle') ?? 0;
  const accounts = [...written.values()].reduce((sum, events) => sum + events, 0) - bundles;
  return { events: accounts + bundles, accounts, bundles };
};
