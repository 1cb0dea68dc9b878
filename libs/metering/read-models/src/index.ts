export { limitState } from './limits.query';
export { meteringReadModel } from './metering.projection';
export { countingMethods, unitById, unitByName, unitVersions, unitsPage } from './units.query';
export type { UnitPage, UnitSearch, UnitView } from './units.query';
export { countedStreams, reportedUsage, unratedUsage, usageOfEveryone, usageQuarters } from './usage.query';
export type { ReportedTotal } from './usage.query';
export { subscriptionById, userByName, userOfAccount } from './users.query';
export type { SubscriptionView, UserView } from './users.query';
