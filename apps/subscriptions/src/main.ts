import { runService } from '@billstream/service-runtime';
import { subscriptionsService } from './index';

runService(subscriptionsService).catch((error: unknown) => {
  process.stderr.write(`subscriptions cannot start: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
