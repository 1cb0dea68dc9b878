export { openDatabase } from './database';
export type { Database, Sql } from './database';
export { migrate } from './migrate';
