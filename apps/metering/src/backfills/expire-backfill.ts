import { derivedId } from '@billstream/kernel';
import { backfilledUsageStream, usageBackfillStream } from '@billstream/metering-domain';
import { backfillExpiryKind } from '@billstream/metering-read-models';
import type { DueItem } from '@billstream/postgres';
import type { ServiceRuntime } from '@billstream/service-runtime';
import { meteringOf } from '../metering';

/**
 * Gives up a backfill that nobody has committed by its deadline. It is sealed before, like one that is abandoned; a commit
 * that comes in between wins, and then nothing is given up.
 */
export const expireBackfills = (runtime: ServiceRuntime) => {
  const { backfill, backfilled } = meteringOf(runtime);
  return {
    [backfillExpiryKind]: async ({ key: backfillId, tenantId, dueAt }: DueItem): Promise<void> => {
      const now = runtime.clock.now(tenantId);
      const cause = derivedId('backfill-expiry', backfillId, dueAt);
      const context = {
        ...{ tenantId, actor: { createdBy: 'metering' }, at: now > dueAt ? now : dueAt, correlationId: cause },
      };
      const sealed = await backfill(
        usageBackfillStream(tenantId, backfillId),
        { type: 'Seal', toCommit: false },
        { ...context, commandId: derivedId('seal', cause) },
      );
      if (sealed.outcome !== 'accepted') throw new Error(`a backfill could not be sealed: ${sealed.outcome}`);
      const expired = await backfilled(
        backfilledUsageStream(tenantId),
        { type: 'Expire', backfillId },
        { ...context, commandId: cause },
      );
      if (expired.outcome !== 'accepted') throw new Error(`a backfill could not expire: ${expired.outcome}`);
      await runtime.visible(expired.position);
    },
  };
};
