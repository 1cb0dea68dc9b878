import {
  type AccountTime,
  type Instant,
  type LocalDate,
  instantOf,
  localDateOf,
  plusDuration,
  withDayOfMonth,
} from '@billstream/kernel';
import type { BillingPeriod, ResolvedPhase } from '@billstream/subscriptions-contracts';
import { billingPeriodLength } from '../catalog/billing-period';
import type { BillingPolicy } from '../catalog/catalog';
import type { Subscription } from './bundle';

type Term = {
  readonly now: Instant;
  readonly startedAt: Instant;
  readonly chargedThroughDate: LocalDate | null;
  readonly billingPeriod: BillingPeriod;
  /** Null or 0: not known. */
  readonly billCycleDay: number | null;
  readonly time: AccountTime;
};

const stepBack = (from: LocalDate, { billingPeriod, billCycleDay, now, time }: Term): LocalDate => {
  const length = billingPeriodLength[billingPeriod];
  if (length === null) return from;
  const today = localDateOf(now, time);
  let date = from;
  for (let count = 1; date > today; count += 1) {
    const stepped = plusDuration(from, length.unit, -count * length.number);
    date =
      length.unit === 'MONTHS' && billCycleDay !== null && billCycleDay > 0
        ? withDayOfMonth(stepped, billCycleDay)
        : stepped;
  }
  return date;
};

/**
 * When a policy takes effect (Kill Bill's DefaultSubscriptionBase). END_OF_TERM is the charged-through date when that
 * lies ahead, else now: what was never charged has no term to wait for.
 */
export const policyInstant = (policy: Exclude<BillingPolicy, 'ILLEGAL'>, term: Term): Instant => {
  const { now, chargedThroughDate, startedAt, time } = term;
  if (policy === 'IMMEDIATE') return now;
  const chargedThrough = chargedThroughDate === null ? null : instantOf(chargedThroughDate, time);
  if (policy === 'END_OF_TERM') return chargedThrough !== null && chargedThrough > now ? chargedThrough : now;
  if (chargedThroughDate === null || chargedThrough === null) return startedAt;
  return chargedThrough <= now ? chargedThrough : instantOf(stepBack(chargedThroughDate, term), time);
};

/**
 * The period of the plan that a phase belongs to: that of the plan's final phase, which is where the resolved phases of a
 * step end. A trial belongs to a monthly plan as its evergreen phase does.
 */
export const planPeriodOf = ({ steps }: Pick<Subscription, 'steps'>, phase: ResolvedPhase): BillingPeriod =>
  periodOf(
    steps.findLast(({ phases }) => phases.some((one) => one.phase.phaseName === phase.phaseName))?.phases.at(-1)
      ?.phase ?? phase,
  );

export const periodOf = (phase: ResolvedPhase): BillingPeriod => phase.recurring?.billingPeriod ?? 'NO_BILLING_PERIOD';
