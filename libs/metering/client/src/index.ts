export { MeteringClientError } from './client-error';
export type { ClientErrorCode } from './client-error';
export type { LimitVerdict } from './limit-check';
export { openMeteringClient } from './metering-client';
export type { ClientStats, MeteringClient } from './metering-client';
export type { Credentials, LimitOptions, MeteringClientOptions, ShippingOptions, SpoolOptions } from './options';
export type { RejectedUsage } from './rejects';
export type { RecordName, UsageRecord } from './usage-record';
