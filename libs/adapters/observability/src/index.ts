export { currentLogContext, withLogContext } from './context';
export type { LogContext } from './context';
export { createLogger, silentLogger } from './logger';
export type { LoggerChoices } from './logger';
