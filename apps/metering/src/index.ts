import { meteringPublication } from '@billstream/metering-domain';
import { meteringReadModel } from '@billstream/metering-read-models';
import type { ServiceDefinition } from '@billstream/service-runtime';
import path from 'node:path';
import { expireBackfills } from './backfills/expire-backfill';
import { takeUsage } from './ingest/usage-intake';
import { countLateUsage } from './late-usage';
import { meteringModule } from './metering.module';
import { meteringDueWork } from './tell-limits';

/** Units, usage and limits; and what an invoice is told of them. */
export const meteringService: ServiceDefinition = {
  name: 'metering',
  // Not `usage-`: its batches are private, so the relay need not read every record again. The read model names it itself.
  streams: [
    'meterUnit-',
    'meteredTenant-',
    'meteredAccount-',
    'logFormat-',
    'billingNews-',
    'usageLimit-',
    'limitNews-',
    'limitReservations-',
    'usageBackfill-',
    'backfilledUsage-',
    'usageClosing-',
    'subscriptionUsage-',
  ],
  readModels: [meteringReadModel],
  projectionThread: path.join(__dirname, 'count-usage.thread.ts'),
  publication: meteringPublication,
  hears: ['accounts', 'subscriptions', 'metering', 'invoicing'],
  dueWork: (runtime) => ({ ...countLateUsage(runtime), ...expireBackfills(runtime), ...meteringDueWork(runtime) }),
  background: takeUsage,
  module: meteringModule,
};
