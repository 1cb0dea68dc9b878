import { eventStoreDb } from '@billstream/eventstoredb';
import { existsSync, writeFileSync } from 'node:fs';
import { runProjectionThread } from '../projection-thread';
import { balances } from './balances';

/** An event may name a file that is not there yet: then the thread makes it, and ends in the middle of its page. */
const mortalBalances: typeof balances = {
  ...balances,
  apply: async (tx, events) => {
    const told = await balances.apply(tx, events);
    for (const { data } of events) {
      const fatal = 'fatal' in data ? String(data.fatal) : null;
      if (fatal === null || existsSync(fatal)) continue;
      writeFileSync(fatal, '');
      process.exit(1);
    }
    return told;
  },
};

void runProjectionThread({
  readModels: [mortalBalances],
  openStore: (connectionString, logger) => eventStoreDb({ connectionString, logger }),
});
