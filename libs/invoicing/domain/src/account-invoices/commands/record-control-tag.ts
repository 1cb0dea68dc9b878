import type { AccountInvoicesEvent, ControlTagChange } from '../account-invoices.events';
import { type AccountInvoices, isTagged } from '../account-invoices.state';
import { automaticRun, reschedule } from './automatic-run';
import { settleCredit } from '../settle-credit';
import { type Given, type Occasion, type Step, inSequence, occasionOf } from '../steps';
import { entryOf } from '../book';

/** A control tag was put on or taken off; the account's owner decides that, so it is never refused. */
export type RecordControlTag = Given & { readonly type: 'RecordControlTag'; readonly change: ControlTagChange };

/** What of an account a tag changes here; the other tags are only remembered. */
const consequence = ({ tag, objectId, isSet }: ControlTagChange, occasion: Occasion): Step => {
  if (tag === 'WRITTEN_OFF')
    return (state) =>
      entryOf(state.invoices, objectId) === undefined ? [] : settleCredit([objectId], occasion)(state);
  if (tag === 'AUTO_INVOICING_OFF') return isSet ? reschedule(occasion) : automaticRun(occasion);
  return () => [];
};

export const recordControlTag = (
  state: AccountInvoices,
  command: RecordControlTag,
): readonly AccountInvoicesEvent[] => {
  const { change } = command;
  if (isTagged(state, change.objectId, change.tag) === change.isSet) return [];
  return inSequence(state, [
    () => [{ type: 'ControlTagRecorded', data: change }],
    consequence(change, occasionOf(command)),
  ]);
};
