import { type Instant, wallTime } from '@billstream/kernel';
import type { Database } from './database';

/**
 * An item that failed so often, about half a minute after it was due, is not waited for any longer: it would hold up
 * whoever waits for its tenant, and everything that is due after it, until somebody mends what makes it fail.
 */
const waitedForAttempts = 5;

/** What may be done of a tenant, and the next instant at which something falls due: for whoever lets go of it in order. */
export type DueState = { readonly dueNow: number; readonly nextDueAt: Instant | null };

/**
 * By the tenant's clock as the table has it, which the worker goes by, too. `dueNow` leaves out what is held back, and
 * counts what is due within five seconds: a clock that was moved to a day meets what was done some moments into another.
 * `nextDueAt` is the earliest due date up to and including `until`, in the past too. Neither counts what keeps failing.
 */
export const dueBefore = async (database: Database, tenantId: string, until: Instant): Promise<DueState> => {
  const [row] = await database.query<{ due_now: bigint; next_due_at: Instant | null }>(
    `with clock as (
       select $2::timestamptz + coalesce(max(distance_ms), 0) * interval '1 millisecond' as now,
         max(held_after) as held_after, max(held_until) as held_until
       from tenant_clock where tenant_id = $1)
     select count(*) filter (where due_at <= clock.now + interval '5 seconds'
         and not coalesce(due_at > clock.held_after and due_at <= clock.held_until, false)
         and not coalesce(attempts >= $4 and last_error is not null, false)) as due_now,
       min(due_at) filter (where due_at <= greatest(clock.now, $3::timestamptz)
         and not coalesce(attempts >= $4, false)) as next_due_at
     from clock, due_work left join due_lease using (kind, key, due_at)
     where tenant_id = $1 and due_at <= greatest(clock.now + interval '5 seconds', $3::timestamptz)`,
    [tenantId, wallTime(), until, waitedForAttempts],
    'due-before',
  );
  return { dueNow: Number(row?.due_now ?? 0), nextDueAt: row?.next_due_at ?? null };
};

/** A piece of due work that keeps failing, and why it did the last time. */
export type FailingWork = {
  readonly kind: string;
  readonly key: string;
  readonly dueAt: Instant;
  readonly attempts: number;
  readonly error: string;
};

const failingMax = 20;

/** The tenant's due work that is not waited for any longer, the earliest first; at most twenty. */
export const failingWork = (database: Database, tenantId: string): Promise<readonly FailingWork[]> =>
  database.query<FailingWork>(
    `select kind, key, due_at as "dueAt", attempts, last_error as error
     from due_work join due_lease using (kind, key, due_at)
     where tenant_id = $1 and attempts >= $2 and last_error is not null order by due_at, kind, key limit $3`,
    [tenantId, waitedForAttempts, failingMax],
    'due-failing',
  );
