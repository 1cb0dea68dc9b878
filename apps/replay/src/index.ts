export { contexts } from './contexts';
export type { ReplayContext } from './contexts';
