import { runService } from '@billstream/service-runtime';
import { paymentsService } from './index';

runService(paymentsService).catch((error: unknown) => {
  process.stderr.write(`payments cannot start: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
