export { openDatabase } from './database';
export type { Database, Sql } from './database';
export { dueWorkDdl, schedule, unschedule } from './due-work';
export type { DueItem } from './due-work';
export { migrate } from './migrate';
export type { ReadModel } from './read-model';
