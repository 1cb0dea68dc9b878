import { backfilledUsageStream } from './backfilled-usage';
import { usageCorrectionStream } from './usage-correction';
import { usageStreamsOf } from './usage-record';

/** All streams that decide what counts of a tenant's usage, e.g. to see whether everything in them has been counted. */
export const countedStreamsOf = (tenantId: string): readonly string[] => [
  ...usageStreamsOf(tenantId),
  usageCorrectionStream(tenantId),
  backfilledUsageStream(tenantId),
];
