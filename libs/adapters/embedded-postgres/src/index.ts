export { startEmbeddedPostgres } from './start';
export type { EmbeddedPostgres } from './start';
