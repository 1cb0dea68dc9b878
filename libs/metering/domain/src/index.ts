export { count } from './counting';
export type { Counted, CountedDay, CountedHour, CountedRange, Quarter } from './counting';
export { afterSample, atNow, untouched, verdict } from './limit';
export type { LimitOverride, LimitSample, LimitState, LimitVerdict } from './limit';
export { chooseRule, defaultRule, faultsOf } from './rule';
export type { CountingMethod, HeldPlan, Interval, Rule, RuleFault } from './rule';
