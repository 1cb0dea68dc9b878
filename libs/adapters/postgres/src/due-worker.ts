import { oneAtATime } from '@billstream/event-sourcing';
import { type Instant, wallTime } from '@billstream/kernel';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { askTogether } from './ask-together';
import type { Database } from './database';
import type { DueItem } from './due-work';
import { tenantShares } from './tenant-shares';

export type DueWorkerParts = {
  readonly service: string;
  readonly database: Database;
  readonly handlers: Readonly<Record<string, (item: DueItem) => Promise<void>>>;
  readonly signal: AbortSignal;
  readonly logger: Logger;
  /** Items leased at the same time; those of one scope wait for each other. */
  readonly concurrency?: number;
  /**
   * A tenant that has so many of these at work gets no more of them, and no look takes more: for work that waits for what
   * a tenant has named, which may never answer. Less than twice as many are at work of one tenant, and fewer the fewer are
   * free. Tenants whose work takes long share a part of the rest (see tenant-shares).
   */
  readonly tenantConcurrency?: number;
  /** Work that takes longer makes its tenant a slow one. */
  readonly slowMs?: number;
  readonly pollMs?: number;
  /** How long after the death of a process another one takes its items. */
  readonly leaseSeconds?: number;
  /** Wrapped around each handler, e.g. to give its log lines a correlation id. */
  readonly around?: (item: DueItem, work: () => Promise<void>) => Promise<void>;
  readonly report?: (done: {
    readonly kind: string;
    readonly outcome: 'done' | 'failed';
    readonly seconds: number;
  }) => void;
};

export type DueWorker = {
  /** Ends when the signal aborts and what was begun is over. */
  readonly done: Promise<void>;
  /** Look now: a clock was moved, or a read model has changed. */
  wake(): void;
  /** Items being worked on in this process, of one tenant or of all. */
  running(tenantId?: string): number;
};

/**
 * A process that works on an item renews its lease four times as often; one that died does not, and this long after its
 * death another one takes the item. Longer than a database that was cut off needs to be back.
 */
const leaseSecondsDefault = 12;
/** An item that was done stays until its event is projected; then the row is gone. If not, it is taken again. */
const settleSeconds = 10;
/** Done so often and still due: its event does not remove it, which somebody should see. */
const repeatsMax = 3;
const concurrencyDefault = 128;
const pollMsDefault = 200;
const slowMsDefault = 1_000;
/** Commits of projections come in swarms; one look answers many of them. */
const wakeEveryMs = 20;
/** Rung again and again for nothing, because commits schedule nothing, it looks less and less often, down to this. */
const wakeEveryMsMax = 80;
const sweepEveryMs = 60_000;
/** While hardly anything more may be begun, a look would find little: it waits until a quarter is free, at most so long. */
const crowdedMs = 20;
const crowdedMsMax = 200;

/**
 * The tenant's clock is wall time plus a distance. The outer bound lets the index on due_at narrow the search; the exact
 * condition stands beside it; a clock on its way holds back what is not its turn yet. A lease holds for one due date: an
 * item that was moved is a new one. Another worker may have leased an item after this statement's snapshot was taken, so
 * the lease is looked at again where it is written. What is inside `coalesce` no index can answer: the index in the order
 * that is asked for is left, and a look takes from its beginning. Else a plan that was made while the table was empty
 * gathers and sorts all that is due for each look, thousands at the end of a month. Exported for the test of its plan.
 */
export const takeSql = `
with due as (
  select work.kind, work.key, work.tenant_id, work.due_at, work.payload
  from due_work as work
  left join tenant_clock as moved on moved.tenant_id = work.tenant_id
  left join due_lease as lease on lease.kind = work.kind and lease.key = work.key and lease.due_at = work.due_at
  where work.due_at <= $1::timestamptz + (select greatest(0, coalesce(max(distance_ms), 0)) from tenant_clock) * interval '1 millisecond'
    and work.due_at <= $1::timestamptz + coalesce(moved.distance_ms, 0) * interval '1 millisecond'
    and not coalesce(work.due_at > moved.held_after and work.due_at <= moved.held_until, false)
    and (lease.kind is null or lease.leased_until < $1::timestamptz)
    and coalesce(work.kind = any($4::text[]), false)
    and coalesce(work.tenant_id <> all($5::text[]), false)
  order by work.due_at, work.kind, work.key
  limit $2
  for update of work skip locked
), leased as (
  insert into due_lease (kind, key, due_at, attempts, leased_until)
  select kind, key, due_at, 1, $1::timestamptz + make_interval(secs => $3) from due
  on conflict (kind, key) do update set
    attempts = case when due_lease.due_at = excluded.due_at then due_lease.attempts + 1 else 1 end,
    due_at = excluded.due_at, leased_until = excluded.leased_until, last_error = null
  where due_lease.due_at <> excluded.due_at or due_lease.leased_until < $1::timestamptz
  returning kind, key, attempts
)
select due.*, leased.attempts from due join leased using (kind, key) order by due.due_at, due.kind, due.key`;

const settleSql = `
update due_lease set leased_until = $6::timestamptz + make_interval(secs => settled.pause), last_error = settled.error
from unnest($1::text[], $2::text[], $3::timestamptz[], $4::float8[], $5::text[]) as settled (kind, key, due_at, pause, error)
where due_lease.kind = settled.kind and due_lease.key = settled.key and due_lease.due_at = settled.due_at`;

const renewSql = `
update due_lease set leased_until = $4::timestamptz + make_interval(secs => $5)
from unnest($1::text[], $2::text[], $3::timestamptz[]) as held (kind, key, due_at)
where due_lease.kind = held.kind and due_lease.key = held.key and due_lease.due_at = held.due_at`;

const sweepSql = `
delete from due_lease where leased_until < $1::timestamptz and not exists (
  select from due_work where due_work.kind = due_lease.kind and due_work.key = due_lease.key and due_work.due_at = due_lease.due_at)`;

type Taken = {
  readonly kind: string;
  readonly key: string;
  readonly tenant_id: string;
  readonly due_at: Instant;
  readonly payload: object;
  readonly attempts: number;
};

/**
 * Does what has become due, in the order of its due dates: items of one scope (the account of the payload, else the key)
 * one after the other, different scopes side by side. At least once; a handler that fails is tried again later, longer
 * and longer, without holding up others.
 */
export const runDueWork = (parts: DueWorkerParts): DueWorker => {
  const { database, handlers, signal, logger, service } = parts;
  const concurrency = parts.concurrency ?? concurrencyDefault;
  const { tenantConcurrency = concurrency, leaseSeconds = leaseSecondsDefault, pollMs = pollMsDefault } = parts;
  const [kinds, alarm] = [Object.keys(handlers), createAlarm(signal)];
  const [inTurn, settle] = [oneAtATime(), settleTogether(database)];
  // Where tenants are kept apart, a look takes few of each.
  const isShared = tenantConcurrency >= concurrency;
  const shares = tenantShares({ concurrency, tenantConcurrency, slowMs: parts.slowMs ?? slowMsDefault });

  const held = new Set<Taken>();
  const start = (item: Taken): void => {
    const over = shares.begin(item.tenant_id);
    held.add(item);
    void inTurn(scopeOf(item), () =>
      signal.aborted ? Promise.resolve() : perform({ ...parts, settle }, item, () => held.delete(item)),
    )
      .catch((error: unknown) => {
        // Its lease runs out and it is taken again.
        logger.warn({ service, err: error, kind: item.kind, key: item.key }, 'due work cannot be settled');
      })
      .finally(() => {
        held.delete(item);
        over();
        alarm.ring();
      });
  };

  const takeAndStart = async (): Promise<number> => {
    const { free, without } = shares.next();
    if (free <= 0) return 0;
    const values = [wallTime(), free, leaseSeconds, kinds, without];
    const items = await database.query<Taken>(takeSql, values, 'due-take');
    for (const item of items) start(item);
    return items.length;
  };

  const run = async (): Promise<void> => {
    if (kinds.length === 0) return;
    // Missed once or twice, the lease still holds; missed for long, the work is done twice, which it must bear.
    const renewing = setInterval(
      () => void renew(database, [...held], leaseSeconds).catch(() => undefined),
      leaseSeconds * 250,
    );
    let swept = Date.now();
    let leastMs = wakeEveryMs;
    for (let failures = 0; !signal.aborted;) {
      let found = 0;
      try {
        found = await takeAndStart();
        if (Date.now() - swept > sweepEveryMs) {
          swept = Date.now();
          await database.query(sweepSql, [wallTime()], 'due-sweep');
        }
        failures = 0;
      } catch (error) {
        failures += 1;
        if (failures === 1) logger.warn({ service, err: error }, 'due work cannot be taken, will try again');
      }
      const wasRung = found === 0 && (await alarm.wait(Math.min(10_000, pollMs * 2 ** Math.min(failures, 6)), leastMs));
      leastMs = wasRung ? Math.min(2 * leastMs, wakeEveryMsMax) : wakeEveryMs;
      if (found > 0 && isShared) await room(() => shares.running() > concurrency * 0.75, signal);
    }
    while (shares.running() > 0) await sleep(wakeEveryMs);
    clearInterval(renewing);
  };
  return {
    done: run(),
    wake: alarm.ring,
    running: shares.running,
  };
};

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  sleep(ms, undefined, { signal }).catch(() => undefined);

const room = async (isCrowded: () => boolean, signal: AbortSignal): Promise<void> => {
  for (let waitedMs = 0; waitedMs < crowdedMsMax && isCrowded() && !signal.aborted; waitedMs += crowdedMs)
    await pause(crowdedMs, signal);
};

const renew = async (database: Database, items: readonly Taken[], leaseSeconds: number): Promise<void> => {
  if (items.length === 0) return;
  const columns = [items.map(({ kind }) => kind), items.map(({ key }) => key), items.map((item) => item.due_at)];
  await database.query(renewSql, [...columns, wallTime(), leaseSeconds], 'due-renew');
};

/** `release` is called when the lease is about to be given its last length, which a renewal must not change. */
const perform = async (
  parts: DueWorkerParts & { readonly settle: (settled: Settled) => Promise<null> },
  taken: Taken,
  release: () => void,
): Promise<void> => {
  const { settle } = parts;
  const { kind, key, tenant_id: tenantId, due_at: dueAt, payload, attempts } = taken;
  const started = performance.now();
  const error = await attempt(parts, { tenantId, kind, key, dueAt, payload });
  const durationMs = performance.now() - started;
  const isAgain = attempts > repeatsMax;
  const facts = { service: parts.service, kind, key, dueAt, attempt: attempts, durationMs };
  if (error !== null) parts.logger.error({ ...facts, err: error }, 'due work failed');
  else if (isAgain) parts.logger.warn(facts, 'due work was done before and is due again');
  else parts.logger.info(facts, 'due work');
  parts.report?.({ kind, outcome: error === null ? 'done' : 'failed', seconds: durationMs / 1000 });
  release();
  const pause = error === null && !isAgain ? settleSeconds : Math.min(300, 2 ** Math.min(attempts, 8));
  await settle({ kind, key, dueAt, pause, error: error?.message ?? null });
};

type Settled = Pick<DueItem, 'kind' | 'key' | 'dueAt'> & { readonly pause: number; readonly error: string | null };

const settleTogether = (database: Database) =>
  askTogether<Settled, null>(async (all) => {
    const columns = [
      all.map(({ kind }) => kind),
      all.map(({ key }) => key),
      all.map(({ dueAt }) => dueAt),
      all.map(({ pause }) => pause),
      all.map(({ error }) => error),
    ];
    await database.query(settleSql, [...columns, wallTime()], 'due-settle');
    return all.map(() => null);
  });

const attempt = async ({ handlers, around }: DueWorkerParts, item: DueItem): Promise<Error | null> => {
  const work = (): Promise<void> => handlers[item.kind]?.(item) ?? Promise.resolve();
  try {
    await (around ? around(item, work) : work());
    return null;
  } catch (error) {
    return error instanceof Error ? error : new Error('a handler threw something that is no error', { cause: error });
  }
};

const scopeOf = ({ tenant_id: tenantId, key, payload }: Taken): string => {
  const accountId = 'accountId' in payload && typeof payload.accountId === 'string' ? payload.accountId : null;
  return `${tenantId} ${accountId ?? key}`;
};

/** Sleeps until it is time or somebody rings, but never less than a moment, so that a swarm of rings is one. */
const createAlarm = (signal: AbortSignal) => {
  let rung = false;
  let wake: (() => void) | undefined;
  const ring = (): void => {
    rung = true;
    wake?.();
  };
  signal.addEventListener('abort', ring, { once: true });
  return {
    ring,
    /** Whether somebody rang. */
    wait: async (ms: number, leastMs: number): Promise<boolean> => {
      await pause(Math.min(ms, leastMs), signal);
      if (!rung && !signal.aborted)
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, ms);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      wake = undefined;
      const wasRung = rung;
      rung = false;
      return wasRung;
    },
  };
};
