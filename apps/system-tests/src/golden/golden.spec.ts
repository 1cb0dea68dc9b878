import { type SystemUnderTest, startSystem } from '../system';
import { type GoldenCase, chosenCases } from './case-file';
import { CaseFailed, play } from './play';

/**
 * Every golden case through the public API of one system. Tenants have clocks of their own, so several cases are played
 * at a time: waiting for one is work for another. GOLDEN chooses some of them (see golden/README.md).
 */
const lanes = 4;
const cases = chosenCases(process.env['GOLDEN'] ?? 'all');

type Outcome = { readonly failure: Error | null };
type Pending = { readonly outcome: Promise<Outcome>; readonly end: (outcome: Outcome) => void };

const pending = (): Pending => {
  let end: Pending['end'] = () => undefined;
  const outcome = new Promise<Outcome>((resolve) => (end = resolve));
  return { outcome, end };
};

const outcomes = new Map(cases.map((golden) => [golden.id, pending()]));
let system: SystemUnderTest;

/**
 * What is bought at noon runs out at noon: a machine so busy that a step is done seconds after its instant has not played
 * the case. A failure of such a play says nothing, and the case is played again.
 */
const lateMaxMs = 1_000;
const playsMax = 4;

const outcomeOf = async (golden: GoldenCase): Promise<Outcome> => {
  for (let plays = 1; ; plays += 1) {
    const failure = await play(system, golden).then(
      () => null,
      (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
    );
    const wasLate = failure instanceof CaseFailed && failure.lateMs > lateMaxMs;
    if (!wasLate || plays === playsMax) return { failure };
  }
};

const lane = async (waiting: GoldenCase[]): Promise<void> => {
  for (let golden = waiting.shift(); golden !== undefined; golden = waiting.shift())
    outcomes.get(golden.id)?.end(await outcomeOf(golden));
};

let played: Promise<unknown> = Promise.resolve();
beforeAll(async () => {
  system = await startSystem();
  const waiting = [...cases];
  played = Promise.all(Array.from({ length: lanes }, () => lane(waiting)));
}, 60_000);
afterAll(async () => {
  await played;
  await system.stop();
}, 60_000);

describe('golden cases', () => {
  it.each(cases.map(({ id, area, title }) => [id, area, title]))(
    '%s %s: %s',
    async (id) => {
      const outcome = await outcomes.get(id)?.outcome;
      if (outcome?.failure !== null) throw outcome?.failure ?? new Error(`${id} was not played`);
    },
    600_000,
  );
});
