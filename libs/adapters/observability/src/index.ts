export { currentLogContext, withLogContext } from './context';
export type { LogContext } from './context';
export { createLogger, silentLogger } from './logger';
export type { LoggerChoices } from './logger';
export { createMetrics } from './metrics';
export type { Labels, Metrics } from './metrics';
export { serveMetrics } from './metrics-server';
export type { MetricsServer } from './metrics-server';
