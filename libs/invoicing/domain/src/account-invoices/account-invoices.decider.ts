import { type Decider, type Decision, accept, reject } from '@billstream/event-sourcing';
import type { AccountInvoicesEvent } from './account-invoices.events';
import { type AccountInvoices, evolve, nothingInvoiced } from './account-invoices.state';
import { type AddItems, addItems } from './commands/add-items';
import { type AdjustItem, adjustItem } from './commands/adjust-item';
import { type AskForInvoice, type InvoiceDue, askForInvoice, runDue } from './commands/ask-for-invoice';
import { type CommitDraft, commitDraftInvoice } from './commands/commit-draft';
import { type DeleteCredit, deleteCredit } from './commands/delete-credit';
import { type RecordControlTag, recordControlTag } from './commands/record-control-tag';
import {
  type RecordAccount,
  type RecordBillingTimeline,
  type RecordPayment,
  type RecordUsage,
  recordAccount,
  recordPayment,
  recordTimeline,
  recordUsage,
} from './commands/record-facts';
import { type VoidInvoice, voidInvoice } from './commands/void-invoice';
import type { AccountInvoicesRejection } from './rejections';
import { settleCredit } from './settle-credit';
import { type Given, occasionOf } from './steps';

/** Moves credit to where it is owed, whatever kept it away before. */
export type RebalanceCredit = Given & { readonly type: 'RebalanceCredit' };

/** `now` is the tenant's clock when the command was made, `settings` what the tenant had set then. */
export type AccountInvoicesCommand = Fact | Request;

/** What others tell, and what falls due: it has happened, so it is never refused. */
type Fact = RecordAccount | RecordBillingTimeline | RecordUsage | RecordPayment | RecordControlTag | InvoiceDue;

/** What somebody asks for. */
type Request = AskForInvoice | AddItems | AdjustItem | CommitDraft | VoidInvoice | DeleteCredit | RebalanceCredit;

const eventsOf = (state: AccountInvoices, fact: Fact): readonly AccountInvoicesEvent[] => {
  switch (fact.type) {
    case 'RecordAccount':
      return recordAccount(state, fact);
    case 'RecordBillingTimeline':
      return recordTimeline(state, fact);
    case 'RecordUsage':
      return recordUsage(state, fact);
    case 'RecordPayment':
      return recordPayment(state, fact);
    case 'RecordControlTag':
      return recordControlTag(state, fact);
    case 'InvoiceDue':
      return runDue(state, fact);
  }
};

type Answer = Decision<AccountInvoicesEvent, AccountInvoicesRejection>;

const answerTo = (state: AccountInvoices, command: Request): Answer => {
  switch (command.type) {
    case 'Invoice':
      return askForInvoice(state, command);
    case 'AddItems':
      return addItems(state, command);
    case 'AdjustItem':
      return adjustItem(state, command);
    case 'CommitDraft':
      return commitDraftInvoice(state, command);
    case 'VoidInvoice':
      return voidInvoice(state, command);
    case 'DeleteCredit':
      return deleteCredit(state, command);
    case 'RebalanceCredit':
      if (state.account === null) return reject({ code: 'account-unknown' });
      return accept(...settleCredit([], occasionOf(command))(state));
  }
};

const isFact = (command: AccountInvoicesCommand): command is Fact =>
  command.type.startsWith('Record') || command.type === 'InvoiceDue';

const decided = (command: AccountInvoicesCommand, state: AccountInvoices): Answer =>
  isFact(command) ? accept(...eventsOf(state, command)) : answerTo(state, command);

const isPart = ({ type }: AccountInvoicesEvent): boolean => type === 'InvoiceItemsDrawn';

/** Items that are drawn mean nothing before their invoice is made, so they may be stored ahead of all else. */
const decide = (command: AccountInvoicesCommand, state: AccountInvoices): ReturnType<typeof decided> => {
  const decision = decided(command, state);
  if ('rejected' in decision || !decision.events.some(isPart)) return decision;
  const { events } = decision;
  return accept(...events.filter(isPart), ...events.filter((event) => !isPart(event)));
};

/** All invoices, credit and charged periods of one account: a stream `accountInvoices-<accountId>`. */
export const accountInvoices: Decider<
  AccountInvoicesCommand,
  AccountInvoicesEvent,
  AccountInvoices,
  AccountInvoicesRejection
> = {
  initial: nothingInvoiced,
  decide,
  evolve,
  isPart,
};
