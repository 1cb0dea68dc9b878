import { type Decider, accept, defineSchema, reject } from '@billstream/event-sourcing';
import type { BackfillMode, BackfillScope } from './usage-backfill';

/** What a tenant's backfills came to. All on one stream: they change what counts, so their order counts. */
export type BackfilledUsageEvent =
  /** From here on its records count, all of them. The scope is repeated: what it replaces is decided by this event alone. */
  | {
      readonly type: 'BackfillCommitted';
      readonly data: BackfillScope & { readonly backfillId: string; readonly mode: BackfillMode };
    }
  /** From here on everything counts as if it had never been committed. */
  | { readonly type: 'BackfillReverted'; readonly data: { readonly backfillId: string; readonly reason: string } }
  /** It was not committed and never will be. */
  | { readonly type: 'BackfillAbandoned'; readonly data: { readonly backfillId: string } }
  /** Nobody had committed it by its deadline: it never will be. */
  | { readonly type: 'BackfillExpired'; readonly data: { readonly backfillId: string } };

export type BackfilledUsageCommand =
  | {
      readonly type: 'Commit';
      readonly committed: Extract<BackfilledUsageEvent, { readonly type: 'BackfillCommitted' }>['data'];
    }
  | { readonly type: 'Revert'; readonly backfillId: string; readonly reason: string }
  | { readonly type: 'Abandon'; readonly backfillId: string }
  | { readonly type: 'Expire'; readonly backfillId: string };

export type BackfillEnd = 'COMMITTED' | 'REVERTED' | 'ABANDONED' | 'EXPIRED';

export type BackfilledUsageRejection =
  | { readonly code: 'backfill-not-committed' }
  | { readonly code: 'backfill-over'; readonly status: BackfillEnd }
  /** Another one replaces some of the same usage: both would count beside each other. */
  | { readonly code: 'backfill-overlaps'; readonly backfillId: string };

type State = {
  readonly ends: Readonly<Record<string, BackfillEnd>>;
  /** What is replaced at present, by backfill. */
  readonly replaced: Readonly<Record<string, BackfillScope>>;
};

export const backfilledUsageStream = (tenantId: string): string => `backfilledUsage-${tenantId}`;

const overlaps = (a: BackfillScope, b: BackfillScope): boolean =>
  a.fromAt < b.toAt &&
  b.fromAt < a.toAt &&
  a.units.some((unit) => b.units.includes(unit)) &&
  (a.users === null || b.users === null || a.users.some((user) => b.users?.includes(user)));

const without = <Value>(all: Readonly<Record<string, Value>>, key: string): Readonly<Record<string, Value>> =>
  Object.fromEntries(Object.entries(all).filter(([name]) => name !== key));

export const backfilledUsage: Decider<BackfilledUsageCommand, BackfilledUsageEvent, State, BackfilledUsageRejection> = {
  initial: { ends: {}, replaced: {} },
  decide: (command, { ends, replaced }) => {
    const backfillId = command.type === 'Commit' ? command.committed.backfillId : command.backfillId;
    const status = ends[backfillId];
    switch (command.type) {
      case 'Commit': {
        const { committed } = command;
        if (status === 'COMMITTED') return accept();
        if (status !== undefined) return reject({ code: 'backfill-over', status });
        const other =
          committed.mode === 'REPLACE'
            ? Object.entries(replaced).find(([, scope]) => overlaps(scope, committed))
            : null;
        if (other) return reject({ code: 'backfill-overlaps', backfillId: other[0] });
        return accept({ type: 'BackfillCommitted', data: committed });
      }
      case 'Revert':
        if (status === 'REVERTED') return accept();
        if (status !== 'COMMITTED') return reject({ code: 'backfill-not-committed' });
        return accept({ type: 'BackfillReverted', data: { backfillId, reason: command.reason } });
      case 'Abandon':
        if (status === 'ABANDONED') return accept();
        if (status !== undefined) return reject({ code: 'backfill-over', status });
        return accept({ type: 'BackfillAbandoned', data: { backfillId } });
      case 'Expire':
        // Whatever else came of it came before its deadline was looked at.
        return status === undefined ? accept({ type: 'BackfillExpired', data: { backfillId } }) : accept();
    }
  },
  evolve: ({ ends, replaced }, { type, data }): State => {
    const { backfillId } = data;
    switch (type) {
      case 'BackfillCommitted': {
        const { mode, units, users, fromAt, toAt } = data;
        const scope = { units, users, fromAt, toAt };
        return {
          ends: { ...ends, [backfillId]: 'COMMITTED' },
          replaced: mode === 'REPLACE' ? { ...replaced, [backfillId]: scope } : replaced,
        };
      }
      case 'BackfillReverted':
        return { ends: { ...ends, [backfillId]: 'REVERTED' }, replaced: without(replaced, backfillId) };
      case 'BackfillAbandoned':
        return { ends: { ...ends, [backfillId]: 'ABANDONED' }, replaced };
      case 'BackfillExpired':
        return { ends: { ...ends, [backfillId]: 'EXPIRED' }, replaced };
    }
  },
};

export const backfilledUsageSchema = defineSchema<BackfilledUsageEvent>({
  BackfillCommitted: 'backfilled-usage.committed.v1',
  BackfillReverted: 'backfilled-usage.reverted.v1',
  BackfillAbandoned: 'backfilled-usage.abandoned.v1',
  BackfillExpired: 'backfilled-usage.expired.v1',
});
