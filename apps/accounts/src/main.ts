import { runService } from '@billstream/service-runtime';
import { accountsService } from './index';

runService(accountsService).catch((error: unknown) => {
  process.stderr.write(`accounts cannot start: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
