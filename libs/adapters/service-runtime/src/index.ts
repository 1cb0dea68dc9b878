export type { ContextName, ServiceDefinition, ServiceMetrics, ServiceRuntime, Settings } from './service';
