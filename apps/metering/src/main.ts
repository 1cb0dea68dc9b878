import { runService } from '@billstream/service-runtime';
import { meteringService } from './index';

runService(meteringService).catch((error: unknown) => {
  process.stderr.write(`metering cannot start: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
