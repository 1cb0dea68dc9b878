export type { Brand } from './brand';
export { derivedId, digest, newId, parseUuid } from './ids';
export type { AccountId, TenantId } from './ids';
export { minorDigits, parseCurrency } from './currency';
export type { Currency } from './currency';
export {
  add,
  compare,
  decimal,
  divide,
  isNegative,
  isZero,
  larger,
  multiply,
  negate,
  parseDecimal,
  round,
  smaller,
  subtract,
  sum,
  toNumber,
  zero,
} from './decimal';
export type { Decimal, Rounding } from './decimal';
export {
  addMoney,
  allocate,
  formatMoney,
  isStatable,
  money,
  negateMoney,
  settle,
  subtractMoney,
  sumMoney,
  toDecimal,
} from './money';
export type { Money } from './money';
export { epochMs, instantOfMs, parseInstant, plusMs } from './instant';
export type { Instant } from './instant';
export {
  dayOfMonth,
  daysBetween,
  daysInMonth,
  instantInZone,
  instantOf,
  isTimeZone,
  localDateOf,
  midnightOf,
  parseLocalDate,
  plusDays,
  plusDuration,
  plusMonths,
  startOfDay,
  withDayOfMonth,
  zonedDateOf,
} from './calendar';
export type { AccountTime, DurationUnit, LocalDate } from './calendar';
export { fixedClock, notBefore, tenantClock, wallTime } from './clock';
export type { Clock } from './clock';
