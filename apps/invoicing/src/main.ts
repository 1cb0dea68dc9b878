import { runService } from '@billstream/service-runtime';
import { invoicingService } from './index';

runService(invoicingService).catch((error: unknown) => {
  process.stderr.write(`invoicing cannot start: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
