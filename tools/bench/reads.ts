import { type Caller, callerOf } from './caller';
import { type Figure, type Plan, inLanes, quantile, samplesOf } from './measure';
import type { World } from './world';

const connections = 16;
const requests = 3_000;
const accounts = 200;

type Work = {
  readonly name: string;
  readonly lanes: number;
  readonly count: number;
  readonly call: (caller: Caller, piece: number, round: number) => Promise<unknown>;
};

const millis = (value: number): string => `${value.toFixed(1)} ms`;

const measure = async (world: World, plan: Plan, { name, lanes, count, call }: Work): Promise<Figure> => {
  const caller = callerOf(world, lanes);
  const rates: number[] = [];
  const middles: number[] = [];
  const ends: number[] = [];
  try {
    for (let round = -plan.warmUps; round < plan.rounds; round += 1) {
      const { seconds, millis: each } = await inLanes(lanes, count, async (piece) => {
        await call(caller, piece, round);
      });
      if (round < 0) continue;
      rates.push(count / seconds);
      middles.push(quantile(each, 0.5));
      ends.push(quantile(each, 0.99));
    }
  } finally {
    await caller.close();
  }
  return {
    name: `${name}, ${lanes} ${lanes === 1 ? 'connection' : 'connections'}, ${world.name}`,
    unit: 'requests/s',
    measured: samplesOf(rates),
    notes: [`p50 ${millis(samplesOf(middles).median)}`, `p99 ${millis(samplesOf(ends).median)}`],
  };
};

const keyOf = (name: string): string => `${name}@example.com`;
const open = (caller: Caller, externalKey: string): Promise<unknown> =>
  caller.expect(
    201,
    'POST',
    '/1.0/kb/accounts',
    JSON.stringify({ name: externalKey.split('@')[0], externalKey, email: externalKey, currency: 'USD' }),
  );

const prepare = async (world: World): Promise<void> => {
  const caller = callerOf(world, connections);
  try {
    await inLanes(connections, accounts, async (piece) => {
      await open(caller, keyOf(`reader-${piece}`));
    });
    const records = Array.from({ length: accounts }, (_, i) => ({
      unit: 'analytics',
      user: keyOf(`reader-${i}`),
      amount: 1 + i,
      source: 'bench',
      id: `reader-${i}`,
    }));
    await caller.expect(202, 'POST', '/meter/record/json', JSON.stringify(records));
  } finally {
    await caller.close();
  }
};

const query = (piece: number): string => encodeURIComponent(keyOf(`reader-${piece % accounts}`));

/** What a client sees at the public face: reads of a read model, a limit check, and a command until it is visible. */
export const readsBench = async (world: World, plan: Plan): Promise<readonly Figure[]> => {
  await prepare(world);
  const byKey: Work['call'] = (caller, piece) =>
    caller.expect(200, 'GET', `/1.0/kb/accounts?externalKey=${query(piece)}`);
  const check: Work['call'] = (caller, piece) =>
    caller.expect(200, 'GET', `/meter/limit/check/analytics?user=${query(piece)}`);
  const create =
    (lanes: number): Work['call'] =>
    (caller, piece, round) =>
      open(caller, keyOf(`writer-${lanes}-${round}-${piece}`));
  const works: readonly Work[] = [
    { name: 'account by external key', lanes: connections, count: requests, call: byKey },
    { name: 'limit check', lanes: connections, count: requests, call: check },
    { name: 'opening an account (three commands, then visible)', lanes: 1, count: 150, call: create(1) },
    { name: 'opening an account', lanes: connections, count: 400, call: create(connections) },
  ];
  const figures: Figure[] = [];
  for (const work of works) figures.push(await measure(world, plan, work));
  return figures;
};
