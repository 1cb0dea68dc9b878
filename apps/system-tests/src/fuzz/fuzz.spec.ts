import fc from 'fast-check';
import { randomUUID } from 'node:crypto';
import type { Client } from '../../../../tools/day/client';
import { moveClock, openAccount, settled, subscribe } from '../../../../tools/day/day';
import { goldenCatalog } from '../golden/case-file';
import { catalogDocument } from '../golden/catalog-document';
import { run } from '../process';
import { type SystemUnderTest, type Tenant, eventsAfter, startSystem } from '../system';
import type { OpenApi } from './description';
import { newKnown } from './known';
import { requestOf } from './requests';
import { type Outcome, isPaymentOutcome, noAnswer, saysWhy, sendAll, told } from './round';

/**
 * Requests that nobody would write, to every place that takes one: made from the description of the API, with values that
 * are wrong in kind, size or meaning. `npm run test:fuzz -- --requests 20000 --seed 1` sends more of them and repeats a
 * run. Each round has customers of its own, and ends a month later, so that what was taken must also live through a bill.
 */
const requests = Number(process.env['FUZZ_REQUESTS'] ?? 1_000);
const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 1_000_000_000);
const roundSize = 1_000;
const rounds = Math.ceil(requests / roundSize);
const timeoutMs = 240_000 * rounds;
const start = Date.parse('2026-03-01T08:00:00Z');
const monthMs = 31 * 86_400_000;

let system: SystemUnderTest;
let tenant: Tenant;
let api: Client;
beforeAll(async () => {
  system = await startSystem({ RATE_LIMITS: 'off' });
  ({ tenant, api } = await system.newTenant());
  await moveClock(api, new Date(start));
  const [version] = goldenCatalog('default').versions;
  await api.expect(201, 'POST', '/1.0/kb/catalog/xml', { type: 'text/xml', body: catalogDocument(version!) });
  await settled(api);
}, 60_000);
afterAll(() => system.stop(), 60_000);

const overdue = `<overdueConfig><accountOverdueStates>
  <initialReevaluationInterval><unit>DAYS</unit><number>5</number></initialReevaluationInterval>
  <state name="LATE"><condition><timeSinceEarliestUnpaidInvoiceEqualsOrExceeds><unit>DAYS</unit><number>5</number></timeSinceEarliestUnpaidInvoiceEqualsOrExceeds></condition>
  <externalMessage>Late</externalMessage><blockChanges>true</blockChanges><disableEntitlementAndChangesBlocked>false</disableEntitlementAndChangesBlocked>
  <autoReevaluationInterval><unit>DAYS</unit><number>5</number></autoReevaluationInterval></state>
</accountOverdueStates></overdueConfig>`;

const playRound = async (document: OpenApi, round: number): Promise<readonly Outcome[]> => {
  // What the round before left misconfigured is not what this one is about.
  await api.ask('POST', '/plugins/killbill-payment-test/configure', { body: { CONFIGURE_ACTION: 'ACTION_CLEAR' } });
  await api.ask('DELETE', '/1.0/kb/tenants/uploadPerTenantConfig');
  const right = await newKnown(api, [`a-${randomUUID()}`, `b-${randomUUID()}`, `c-${randomUUID()}`]);
  const xml = [catalogDocument(goldenCatalog('default').versions[0]!), overdue];
  const size = Math.min(roundSize, requests - round * roundSize);
  const made = fc.sample(requestOf({ document, right, xml }), { numRuns: size, seed: seed + round });
  const outcomes = await sendAll({ url: system.url, tenant }, made, `fuzz-${String(seed)}-${String(round)}`);
  await settled(api);
  await moveClock(api, new Date(start + (round + 1) * monthMs));
  return outcomes;
};

describe(`${String(requests)} senseless requests (seed ${String(seed)})`, () => {
  const outcomes: Outcome[] = [];
  let before = 0n;
  beforeAll(async () => {
    const document = (await (await fetch(`${system.url}/openapi.json`)).json()) as OpenApi;
    before = await system.store.head();
    for (let round = 0; round < rounds; round += 1) outcomes.push(...(await playRound(document, round)));
  }, timeoutMs);

  it('are not all refused, and not all taken', () => {
    const statuses = new Set(outcomes.map(({ status }) => status));
    expect(outcomes).toHaveLength(requests);
    expect([...statuses]).toEqual(expect.arrayContaining([400, 404]));
    expect([...statuses]).not.toContain(429);
    expect(outcomes.filter(({ status }) => status < 300).length).toBeGreaterThan(requests / 20);
    expect(outcomes.filter(({ status }) => status >= 400).length).toBeGreaterThan(requests / 4);
  });

  it('are never a server error, or a broken connection', () => {
    const broken = outcomes.filter(
      (outcome) => outcome.status === noAnswer || (outcome.status >= 500 && !isPaymentOutcome(outcome)),
    );
    expect(broken.map(told)).toEqual([]);
  });

  it('are answered with a body that says what is wrong', () => {
    expect(outcomes.filter((outcome) => !saysWhy(outcome)).map(told)).toEqual([]);
  });

  it(
    'leave nothing in the log when they are refused',
    async () => {
      const refused = new Map(
        outcomes
          .filter((outcome) => outcome.status >= 400 && !isPaymentOutcome(outcome))
          .map((outcome) => [outcome.correlationId, outcome]),
      );
      const traces = (await eventsAfter(system, before)).flatMap(({ metadata, stream, type }) => {
        const outcome = refused.get(metadata.$correlationId);
        return outcome === undefined ? [] : [`${type} in ${stream} by ${told(outcome)}`];
      });
      expect(traces).toEqual([]);
    },
    timeoutMs,
  );

  it(
    'leave a log that can be replayed: to the same read models, to the same states, with nothing given up',
    async () => {
      const environment = { DATABASE_URL: system.databaseUrl, EVENTSTORE_URL: system.eventStoreUrl };
      const replay = (...verb: readonly string[]) => run('apps/replay/src/main.ts', verb, environment).ended;
      expect(await replay('dead-letters', 'list')).toMatchObject({ code: 0, output: 'no dead letters\n' });
      const verified = await replay('verify');
      expect(verified.output).toMatch(/^\d+ aggregates replayed, 0 faults/m);
      const compared = await replay('compare');
      expect(compared.output).toMatch(/^0 differences$/m);
    },
    timeoutMs,
  );

  it('leave a system that works', async () => {
    const other = system.as();
    const account = await openAccount(api, `after-${randomUUID()}@example.com`);
    const subscriptionId = await subscribe(other, await openAccount(other, 'other@example.com'), 'standard-monthly');
    expect([account.accountId, subscriptionId]).toEqual([expect.any(String), expect.any(String)]);
  }, 30_000);
});
