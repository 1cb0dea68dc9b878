import { type Instant, plusMs } from '@billstream/kernel';
import type { AccountInvoicesEvent } from '../account-invoices.events';
import type { AccountInvoices } from '../account-invoices.state';
import { type Given, inSequence, occasionOf } from '../steps';
import { automaticRun, reschedule } from './automatic-run';

/** Longer than messages are under way while everything works: then somebody has to look why they do not arrive. */
const endingMsMax = 86_400_000;

/** The account entered an overdue state that blocks what it has, or one that does not. */
export type RecordOverdue = Given & { readonly type: 'RecordOverdue'; readonly blocksBilling: boolean };

/** Everything that was blocked or unblocked is told: all timelines are as they are now. */
export type RecordUnblocked = Given & { readonly type: 'RecordUnblocked' };

/**
 * While the account's billing is blocked no run goes by itself, so that credit for the blocked days is made once, when it
 * is known how many there were (Kill Bill switches its automatic invoicing off for that long, 2.16). The end waits for the
 * timelines: a run before them would take back everything to the end of the term.
 */
export const recordOverdue = (state: AccountInvoices, command: RecordOverdue): readonly AccountInvoicesEvent[] => {
  const { account, hold } = state;
  const wanted = command.blocksBilling ? 'held' : 'ending';
  if (account === null || hold === wanted || (hold === 'none' && !command.blocksBilling)) return [];
  const { accountId } = account;
  return inSequence(state, [
    () => [{ type: 'InvoicingHeld', data: { accountId, ...holdOf(command) } }],
    reschedule(occasionOf(command)),
  ]);
};

const holdOf = ({ blocksBilling, now }: RecordOverdue): { readonly isEnding: boolean; readonly until?: Instant } =>
  blocksBilling ? { isEnding: false } : { isEnding: true, until: plusMs(now, endingMsMax) };

/** Whether the end of a block was waited for long enough: an account must not leave billing because a message is lost. */
export const isEndOverdue = ({ holdUntil }: AccountInvoices, at: Instant): boolean =>
  holdUntil !== null && at >= holdUntil;

export const recordUnblocked = (state: AccountInvoices, command: Given): readonly AccountInvoicesEvent[] => {
  const { account } = state;
  if (account === null || state.hold !== 'ending') return [];
  return inSequence(state, [
    () => [{ type: 'InvoicingResumed', data: { accountId: account.accountId } }],
    automaticRun(occasionOf(command)),
  ]);
};
