import type { AccountInvoicesEvent } from '../account-invoices.events';
import { type AccountInvoices, evolve } from '../account-invoices.state';
import { type Given, inSequence, occasionOf } from '../steps';
import { automaticRun } from './automatic-run';

/** Somebody took the tag off that says that invoicing has stopped: it goes on, and catches up. */
export type RecordUnparked = Given & { readonly type: 'RecordUnparked' };

export const recordUnparked = (state: AccountInvoices, command: RecordUnparked): readonly AccountInvoicesEvent[] => {
  const { account, parked } = state;
  if (account === null || parked === null) return [];
  const unparked: AccountInvoicesEvent = { type: 'InvoicingUnparked', data: { accountId: account.accountId } };
  return inSequence(state, [() => [unparked], automaticRun(occasionOf(command))]);
};

/** What was decided of a parked account, and that it is parked no longer, where an invoice was made. */
export const endParking = (
  state: AccountInvoices,
  events: readonly AccountInvoicesEvent[],
): readonly AccountInvoicesEvent[] => {
  const { account } = state;
  const isSaid = events.some(({ type }) => type === 'InvoicingUnparked');
  if (account === null || isSaid || events.reduce(evolve, state).parked !== null) return events;
  return [...events, { type: 'InvoicingUnparked', data: { accountId: account.accountId } }];
};
