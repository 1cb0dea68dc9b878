import { eventStoreDb } from '@billstream/eventstoredb';
import { meteringReadModel } from '@billstream/metering-read-models';
import { runProjectionThread } from '@billstream/postgres';

/** Counts usage beside the thread that takes it, so that nobody who asks for a limit waits behind a page of records. */
void runProjectionThread({
  readModels: [meteringReadModel],
  openStore: (connectionString, logger) => eventStoreDb({ connectionString, logger }),
});
