import { memoryLog } from './storage/memory-log';
import { storeContract } from './testing/store-server.contract';

// Generous: these run on machines that do other things at the same time.
jest.setTimeout(60_000);

describe('the event store server over memory', () => {
  const log = memoryLog();
  storeContract(() => log);
});
