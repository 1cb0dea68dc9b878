export { ProblemException } from './problem';
export type { Problem } from './problem';
export { commandContext } from './request-context';
export type { RequestContext } from './request-context';
