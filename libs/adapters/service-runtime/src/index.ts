export { clockMovedType, hearsOf, listenerOf, listenersFor } from './audience';
export type { InternalFace, Readiness, ServiceState, Settled } from './internal-routes';
export { busReport } from './reporting';
export { dieLoudly, onStopSignal, runService, settingsOf } from './run-service';
export type { ContextName, ServiceDefinition, ServiceMetrics, ServiceRuntime, Settings } from './service';
export { startService } from './start-service';
export type { RunningService, ServiceParts } from './start-service';
