import { type Publication, publicEventsOf } from '@billstream/event-sourcing';
import { parseInstant } from '@billstream/kernel';
import { type ClockPosition, type ReadModel, type Sql, type TenantClocks, tenantClockDdl } from '@billstream/postgres';
import { clockMovedType } from './audience';

type ClockMoved = ClockPosition & { readonly tenantId: string };

/** Null for data that is not what accounts announces. */
export const clockMovedIn = (data: object): ClockMoved | null =>
  'tenantId' in data && typeof data.tenantId === 'string' && 'distanceMs' in data && typeof data.distanceMs === 'number'
    ? { tenantId: data.tenantId, distanceMs: data.distanceMs, ...heldBackIn(data) }
    : null;

const heldBackIn = (data: object): Pick<ClockPosition, 'heldBack'> => {
  const held = 'heldBack' in data && typeof data.heldBack === 'object' ? data.heldBack : null;
  if (held === null || !('after' in held) || !('until' in held)) return {};
  const [after, until] = [parseInstant(String(held.after)), parseInstant(String(held.until))];
  return after === null || until === null ? {} : { heldBack: { after, until } };
};

/**
 * In the service that owns the clocks they are a read model of its own log: whatever its publication announces as a
 * moved clock. Memory moves with the table, so that a command after `visible` sees the new time.
 */
export const tenantClockModel = (
  { streams, publication }: { readonly streams: readonly string[]; readonly publication: Publication },
  clocks: TenantClocks,
): ReadModel => ({
  name: 'tenant-clock',
  tables: ['tenant_clock'],
  ddl: tenantClockDdl,
  prefixes: streams,
  apply: async (tx: Sql, events) => {
    const moves = events
      .flatMap((event) => publicEventsOf(event, publication))
      .flatMap(({ type, data }) => (type === clockMovedType ? (clockMovedIn(data) ?? []) : []));
    for (const { tenantId, ...position } of moves) await clocks.move(tx, tenantId, position);
  },
});
