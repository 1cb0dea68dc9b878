export type { Dispatch, InnerAnswer, InnerRequest, Upstreams } from './dispatch';
export type { GatewayParts } from './gateway';
export { httpDispatch } from './http-dispatch';
export { startGateway } from './listen';
export type { Gateway, ListenOptions } from './listen';
export { localDispatch } from './local-dispatch';
export { generousLimits } from './rate-limit';
export type { RateLimits } from './rate-limit';
