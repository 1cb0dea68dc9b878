import { type CommandContext, type RecordedEvent, commandHandler, memoryEventStore } from '@billstream/event-sourcing';
import { type Instant, type LocalDate, derivedId, parseCurrency } from '@billstream/kernel';
import { type Database, openDatabase } from '@billstream/postgres';
import {
  type BundleCommand,
  bundleDecider,
  bundleSchema,
  bundleStream,
  defaultCatalog,
} from '@billstream/subscriptions-domain';
import { type TestDatabase, testDatabase } from '@billstream/testing';
import { bundleOfSubscription, bundlesByKey, pageOfBundles, searchBundles } from './bundles.queries';
import { bundlesReadModel } from './bundles.read-model';

const tenantId = derivedId('tenant');
const accountId = derivedId('account');
const at = (day: string): Instant => `${day}T00:00:00.000Z` as Instant;
const account = {
  accountId,
  currency: parseCurrency('USD')!,
  time: { timeZone: 'Etc/UTC', referenceTime: at('2024-01-01') },
  billCycleDayLocal: 1,
};
const idOf = (number: number): string => derivedId('bundle', String(number));
const subscriptionOf = (number: number): string => derivedId('subscription', String(number));

let server: TestDatabase;
beforeAll(async () => {
  server = await testDatabase();
});
afterAll(() => server.drop());

const started = (number: number): BundleCommand => ({
  type: 'StartSubscriptions',
  data: {
    ...{ bundleId: idOf(number), externalKey: `key-${number}`, account, catalog: [defaultCatalog] },
    ...{ now: at('2024-01-01'), entitlementAt: null, billingAt: null, migrated: false },
    subscriptions: [
      {
        ...{ subscriptionId: subscriptionOf(number), externalKey: null, plan: { planName: 'standard-monthly' } },
        ...{ startIn: null, quantity: 1, billCycleDayLocal: null, priceOverrides: [] },
      },
    ],
  },
});

/** What a bundle goes through after its start; each third gets another key, each fifth has nothing planned in the end. */
const later = (number: number): readonly BundleCommand[] => {
  const subscriptionId = subscriptionOf(number);
  const now = at('2024-02-10');
  const charged = { subscriptionId, chargedThroughDate: '2024-03-01' as LocalDate };
  const change = { subscriptionId, now, changeId: `change-${number}`, effectiveAt: at('2024-03-05'), quantity: 2 };
  const renaming: BundleCommand = { type: 'RenameKey', data: { now, externalKey: `renamed-${number}` } };
  return [
    { type: 'ReachTransitions', data: { now } },
    { type: 'RecordChargedThrough', data: { now, subscriptions: [charged] } },
    ...(number % 3 === 0 ? [renaming] : []),
    ...(number % 5 === 0 ? [] : [{ type: 'ChangeQuantity' as const, data: { ...change, account } }]),
  ];
};

const history = async (bundles: number): Promise<readonly RecordedEvent[]> => {
  const store = memoryEventStore();
  const handle = commandHandler({ store, decider: bundleDecider, schema: bundleSchema });
  const issue = async (number: number, command: BundleCommand): Promise<void> => {
    const context: CommandContext = {
      ...{ commandId: derivedId(JSON.stringify([number, command])), tenantId, actor: { createdBy: 'test' } },
      ...{ at: command.data.now, correlationId: 'correlation' },
    };
    const handled = await handle(bundleStream(idOf(number)), command, context);
    if (handled.outcome !== 'accepted') throw new Error(JSON.stringify(handled));
  };
  for (let number = 0; number < bundles; number += 1) await issue(number, started(number));
  for (let number = 0; number < bundles; number += 1) for (const command of later(number)) await issue(number, command);
  return (await store.readAll({ after: null, prefixes: ['bundle-'] })).events;
};

const project = async (schema: string, events: readonly RecordedEvent[], size: number): Promise<Database> => {
  const database = openDatabase({ url: server.url, schema, applicationName: 'bundles-projection' });
  await database.query(`create schema ${schema}`);
  await database.query(bundlesReadModel.ddl);
  for (let start = 0; start < events.length; start += size)
    await database.transaction((tx) => bundlesReadModel.apply(tx, events.slice(start, start + size)));
  return database;
};

const contents = async (database: Database): Promise<object> =>
  Object.fromEntries(
    await Promise.all(
      bundlesReadModel.tables.map(async (table) => [
        table,
        await database.query(`select row::text from ${table} as row order by 1`),
      ]),
    ),
  ) as object;

describe('the read model of bundles', () => {
  it.each([
    ['of a few bundles one by one', 6, 1],
    ['in pairs', 6, 2],
    ['of more bundles than are loaded at once, in pages', 260, 400],
  ])(
    'is the same to the letter whether events come %s or all at once',
    async (_, bundles, size) => {
      const events = await history(bundles);
      const name = `of_${String(bundles)}_by_${String(size)}`;
      const [pages, whole] = [await project(name, events, size), await project(`${name}_whole`, events, 5_000)];
      try {
        expect(await contents(pages)).toEqual(await contents(whole));
        expect(await whole.query('select count(*)::int as bundles from bundle_states')).toEqual([{ bundles }]);
      } finally {
        await Promise.all([pages.close(), whole.close()]);
      }
    },
    30_000,
  );

  it('finds bundles by either key, in their order, and knows what is planned', async () => {
    const database = await project('asked', await history(6), 4);
    try {
      for (const key of ['key-3', 'renamed-3'])
        expect((await bundlesByKey(database, tenantId, key)).map(({ bundleId }) => bundleId)).toEqual([idOf(3)]);
      expect(await bundleOfSubscription(database, tenantId, subscriptionOf(4))).toMatchObject({
        bundleId: idOf(4),
        subscriptions: [{ chargedThroughDate: '2024-03-01', quantityChanges: [{ quantity: 2 }] }],
      });
      const page = await pageOfBundles(database, tenantId, { offset: 1, limit: -2 });
      expect(page).toMatchObject({ total: 6, bundles: [{ bundleId: idOf(4) }, { bundleId: idOf(3) }] });
      const found = await searchBundles(database, tenantId, { key: 'renamed', offset: 1, limit: 5 });
      expect(found).toMatchObject({ total: 2, bundles: [{ externalKey: 'renamed-3' }] });
      const planned = await database.query<{ key: string }>('select key, due_at from due_work');
      expect(new Set(planned.map(({ key }) => key))).toEqual(new Set([1, 2, 3, 4].map(idOf)));
    } finally {
      await database.close();
    }
  });
});
