export { ConfigurationError, loadConfig } from './load-config';
export { PlatformConfig, ServiceConfig } from './platform-config';
