export { eventStoreDb } from './event-store-db';
export type { EventStoreDbOptions } from './event-store-db';
