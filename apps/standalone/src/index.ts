export { startStandalone } from './standalone';
export type { Standalone } from './standalone';
