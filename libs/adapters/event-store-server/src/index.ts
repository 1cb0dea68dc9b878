export { startEventStoreServer, type EventStoreServer, type EventStoreServerOptions } from './server';
export { memoryLog } from './storage/memory-log';
export { LogUnavailable, type EventLog } from './storage/event-log';
export { postgresLog, type PostgresLogOptions } from './storage/postgres/postgres-log';
