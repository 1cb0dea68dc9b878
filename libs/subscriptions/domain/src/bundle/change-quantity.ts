import { type Decision, accept, reject } from '@billstream/event-sourcing';
import type { Bundle, BundleEvent, Subscription } from './bundle';
import type { BundleCommand, BundleRejection } from './bundle.commands';
import { amountRefusal } from './choose-plan';
import { dateRefusal } from './effective-date';
import { plannedPhases } from './timeline';

type ChangeQuantity = Extract<BundleCommand, { readonly type: 'ChangeQuantity' }>['data'];

/** From an instant on the price is charged so many times; no phase that it meets may cost more than an invoice can state. */
export const changeQuantity = (
  bundle: Bundle,
  subscription: Subscription,
  { changeId, effectiveAt, quantity, account, now }: ChangeQuantity,
): Decision<BundleEvent, BundleRejection> => {
  const phases = plannedPhases(bundle, subscription).flatMap(({ phase }) => phase ?? []);
  const refusal = dateRefusal(bundle, subscription, effectiveAt, now) ?? amountRefusal(phases, quantity, account);
  if (refusal !== null) return reject(refusal);
  return accept<BundleEvent>({
    type: 'QuantityChanged',
    data: { subscriptionId: subscription.subscriptionId, changeId, effectiveAt, quantity },
  });
};
