export { serviceUnderTest } from './service-under-test';
export type { ServiceUnderTest } from './service-under-test';
