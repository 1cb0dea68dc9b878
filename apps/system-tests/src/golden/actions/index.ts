import { accountActions } from './accounts';
import type { Action } from './action';
import { bundleActions } from './bundles';
import { catalogActions } from './catalogs';
import { invoiceActions } from './invoices';
import { paymentActions } from './payments';
import { subscriptionActions } from './subscriptions';

/** The clock is moved before every step; this step does nothing else. */
const advanceClock: Action = () => Promise.resolve();

const actions: Readonly<Record<string, Action>> = {
  advanceClock,
  ...accountActions,
  ...bundleActions,
  ...catalogActions,
  ...invoiceActions,
  ...paymentActions,
  ...subscriptionActions,
};

export const actionNamed = (name: string): Action => {
  const found = actions[name];
  if (found === undefined) throw new Error(`no action ${name}`);
  return found;
};
