import { memoryLog } from './storage/memory-log';
import { storeContract } from './testing/store-server.contract';

describe('the event store server over memory', () => {
  const log = memoryLog();
  storeContract(() => log);
});
