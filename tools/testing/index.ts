export { eventually } from './eventually';
export { tcpProxy } from './tcp-proxy';
export { hasTestBroker, testBroker } from './test-broker';
export { testDatabase } from './test-database';
export type { TestDatabase } from './test-database';
export type { TestBroker } from './test-broker';
export type { TcpProxy } from './tcp-proxy';
