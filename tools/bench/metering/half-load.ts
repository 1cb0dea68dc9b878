import { Pool as HttpPool } from 'undici';
import type { Pool } from 'pg';
import { type Caller, callerOf } from '../caller';
import { countedWatch } from '../counted';
import type { World } from '../world';
import { clientOf } from './client';
import { type Dataset, bodyOf, limitedUnit, userAt, userOf } from './dataset';
import { perBody } from './producers';

/** Milliseconds, one for each time it was measured. */
export type Latencies = {
  /** From when a body was due to be sent, so that a service that stalls is not asked less. */
  readonly ack: readonly number[];
  /** From the answer until the read model has it. */
  readonly visible: readonly number[];
  /** From the answer to a record above the limit until a check says so, the check's own way included. */
  readonly decided: readonly number[];
  /** Until a listener to events of limits is told. */
  readonly told: readonly number[];
  /** That waits for the user's own usage to be counted, and that does not. */
  readonly check: readonly number[];
  readonly checkAtOnce: readonly number[];
  /** By the client library, in the process that asks. */
  readonly checkInProcess: readonly number[];
};

export type HalfLoad = {
  readonly recordsPerSecond: number;
  readonly seconds: number;
  /** A number that no other run on the same system has. */
  readonly name: string;
};

const checksPerSecond = 100;
const probesPerSecond = 10;
const checksInProcessPerSecond = 500;
/** A program serves its own users; all of the platform's would be asked for one by one first. */
const usersInProcess = 200;
/** Far above the limit of the unit by itself. */
const overLimit = 1_000_000_000;

/** Starts work on time however long the one before takes, and waits for all of it. */
const atRate = async (
  perSecond: number,
  seconds: number,
  work: (piece: number, dueAt: number) => Promise<void>,
): Promise<void> => {
  const started = performance.now();
  const running: Promise<void>[] = [];
  for (let piece = 0; piece < perSecond * seconds; piece += 1) {
    const dueAt = started + (piece * 1000) / perSecond;
    const early = dueAt - performance.now();
    if (early > 0) await new Promise((resolve) => setTimeout(resolve, early));
    running.push(work(piece, dueAt));
  }
  await Promise.all(running);
};

/** What a user waits for while usage comes in at a steady rate. */
export const underHalfLoad = async (
  world: World,
  pool: Pool,
  dataset: Dataset,
  { recordsPerSecond, seconds, name }: HalfLoad,
): Promise<Latencies> => {
  const bodiesPerSecond = recordsPerSecond / perBody;
  const count = Math.ceil(bodiesPerSecond * seconds) * perBody;
  const bodies = Array.from({ length: count / perBody }, (_, body) => bodyOf(dataset, body, perBody, count));
  const latencies = {
    ack: [] as number[],
    visible: [] as number[],
    decided: [] as number[],
    told: [] as number[],
    check: [] as number[],
    checkAtOnce: [] as number[],
    checkInProcess: [] as number[],
  };
  const [senders, askers, probers] = [callerOf(world, 64), callerOf(world, 16), callerOf(world, 32)];
  const hasty = callerOf({ ...world, headers: { ...world.headers, prefer: 'wait=0' } }, 16);
  const hearing = await hearLimits(world);
  const { client, close } = await clientOf(world);
  const readModel = countedWatch(pool);
  const since = (at: number): number => performance.now() - at;
  const send = async (piece: number, dueAt: number): Promise<void> => {
    await senders.expect(202, 'POST', '/meter/record/json', bodies[piece] ?? '[]');
    latencies.ack.push(since(dueAt));
  };
  const check = async (piece: number): Promise<void> => {
    const user = encodeURIComponent(userOf(((piece * 7_919) % 10_007) / 10_007));
    const begun = performance.now();
    const isHasty = piece % 2 === 0;
    await (isHasty ? hasty : askers).expect(200, 'GET', `/meter/limit/check/${limitedUnit}?user=${user}`);
    (isHasty ? latencies.checkAtOnce : latencies.check).push(since(begun));
  };
  const checkInProcess = async (piece: number): Promise<void> => {
    const begun = performance.now();
    await client.check(userAt((piece * 7) % usersInProcess), limitedUnit);
    latencies.checkInProcess.push(since(begun));
  };
  const probe = async (piece: number): Promise<void> => {
    const user = `probe-${name}-${piece}`;
    const record = { unit: limitedUnit, user, amount: overLimit, source: 'probe', id: user };
    await probers.expect(202, 'POST', '/meter/record/json', JSON.stringify([record]));
    const acked = performance.now();
    await Promise.all([
      untilLimited(probers, user).then(() => latencies.decided.push(since(acked))),
      hearing.of(user).then(() => latencies.told.push(since(acked))),
      readModel.counted().then(() => latencies.visible.push(since(acked))),
    ]);
  };
  try {
    // The first check of each user asks the server; what a program waits for day by day are the others.
    for (let rank = 0; rank < usersInProcess; rank += 1) await client.check(userAt(rank), limitedUnit);
    await Promise.all([
      atRate(bodiesPerSecond, seconds, send),
      atRate(checksPerSecond, seconds, check),
      atRate(probesPerSecond, seconds, probe),
      atRate(checksInProcessPerSecond, seconds, checkInProcess),
    ]);
    return latencies;
  } finally {
    await Promise.all([senders.close(), askers.close(), probers.close(), hasty.close(), hearing.stop(), close()]);
  }
};

const untilLimited = async (caller: Caller, user: string): Promise<void> => {
  for (const deadline = Date.now() + 60_000; Date.now() < deadline;) {
    const { text } = await caller.expect(200, 'GET', `/meter/limit/check/${limitedUnit}?user=${user}`);
    if ((JSON.parse(text) as { readonly limited: boolean }).limited) return;
  }
  throw new Error(`${user} was never limited`);
};

/** Listens to events of limits as a client does. */
const hearLimits = async (world: World) => {
  const heard = new Set<string>();
  const waiting = new Map<string, () => void>();
  const http = new HttpPool(world.url, { connections: 1, bodyTimeout: 0 });
  const { statusCode, body } = await http.request({
    method: 'GET',
    path: `/v1/limits/events?unit=${limitedUnit}`,
    headers: { ...world.headers, accept: 'text/event-stream' },
  });
  if (statusCode !== 200) throw new Error(`events of limits: ${statusCode}`);
  let rest = '';
  const ended = (async (): Promise<void> => {
    for await (const chunk of body) {
      const lines = (rest + String(chunk)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (!line.startsWith('data:')) continue;
        const { user } = JSON.parse(line.slice('data:'.length)) as { readonly user: string };
        heard.add(user);
        waiting.get(user)?.();
      }
    }
  })().catch(() => undefined);
  return {
    of: (user: string): Promise<void> =>
      new Promise((resolve, reject) => {
        if (heard.has(user)) {
          resolve();
          return;
        }
        const late = setTimeout(() => reject(new Error(`nobody was told that ${user} is limited`)), 60_000);
        waiting.set(user, () => {
          clearTimeout(late);
          resolve();
        });
      }),
    stop: async (): Promise<void> => {
      await http.destroy();
      await ended;
    },
  };
};
