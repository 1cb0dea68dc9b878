import { parseUuid } from '@billstream/kernel';
import type { BackfillView } from '@billstream/metering-read-models';
import { type KnownBackfill, knownBackfill, readableBackfill } from '../backfills/find-backfill';
import type { Metering } from '../metering';
import { unknownBackfill, unreadableBackfill } from './backfill-json';
import { invalidField } from './problems';

/** The tenant's backfill that a path names, as far as it has to be known to go on with it. */
export const knownBackfillOf = async (metering: Metering, tenantId: string, id: string): Promise<KnownBackfill> => {
  const backfillId = backfillIdOf(id);
  const backfill = await knownBackfill(metering, tenantId, backfillId);
  if (backfill === null) throw unknownBackfill(backfillId);
  return backfill;
};

/** The same as it can be read. */
export const readableBackfillOf = async (metering: Metering, tenantId: string, id: string): Promise<BackfillView> => {
  const view = await readableBackfill(metering, tenantId, backfillIdOf(id));
  if (view !== null) return view;
  const { backfillId } = await knownBackfillOf(metering, tenantId, id);
  throw unreadableBackfill(backfillId);
};

const backfillIdOf = (text: string): string => {
  const backfillId = parseUuid(text);
  if (backfillId === null) throw invalidField('path:backfillId', 'is the id of a backfill');
  return backfillId;
};
