import { type Decision, accept, reject } from '@billstream/event-sourcing';
import {
  type Instant,
  type LocalDate,
  dayOfMonth,
  instantOf,
  localDateOf,
  plusMonths,
  withDayOfMonth,
} from '@billstream/kernel';
import type { Bundle, BundleEvent, Subscription } from './bundle';
import type { BundleCommand, BundleRejection } from './bundle.commands';
import { dateRefusal } from './effective-date';

type ChangeBillCycleDay = Extract<BundleCommand, { readonly type: 'ChangeBillCycleDay' }>['data'];

/** The next date with that day of month, the last day of a month that has none; the first date counts, too. */
const nextDateOn = (billCycleDay: number, from: LocalDate): LocalDate => {
  const inMonth = withDayOfMonth(from, billCycleDay);
  return inMonth >= from ? inMonth : withDayOfMonth(plusMonths(from, 1), billCycleDay);
};

/**
 * A new day begins to count when it comes, not when it is asked for (Kill Bill's DefaultSubscriptionInternalApi): the
 * period that was charged runs up to it, and what is charged next begins on it. Asked for on the very day without a
 * date, it is now. Before its billing begins a subscription has none to change: it counts from the first such day after.
 */
const effectiveAtOf = (
  bundle: Bundle,
  { billingAt }: Subscription,
  { from, billCycleDayLocal, now }: ChangeBillCycleDay,
): Instant => {
  const today = localDateOf(now, bundle.time);
  if (from === null && dayOfMonth(today) === billCycleDayLocal && now >= billingAt) return now;
  let date = nextDateOn(billCycleDayLocal, from ?? today);
  while (instantOf(date, bundle.time) < billingAt) date = withDayOfMonth(plusMonths(date, 1), billCycleDayLocal);
  return instantOf(date, bundle.time);
};

export const changeBillCycleDay = (
  bundle: Bundle,
  subscription: Subscription,
  command: ChangeBillCycleDay,
): Decision<BundleEvent, BundleRejection> => {
  const { changeId, billCycleDayLocal, now } = command;
  const effectiveAt = effectiveAtOf(bundle, subscription, command);
  const refusal = dateRefusal(bundle, subscription, effectiveAt, now);
  if (refusal !== null) return reject(refusal);
  return accept<BundleEvent>({
    type: 'BillCycleDayChanged',
    data: { subscriptionId: subscription.subscriptionId, changeId, effectiveAt, billCycleDayLocal },
  });
};
