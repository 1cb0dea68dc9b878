import { type Decider, type Decision, accept, reject } from '@billstream/event-sourcing';
import type { AccountInvoicesEvent } from './account-invoices.events';
import { type AccountInvoices, evolve, nothingInvoiced } from './account-invoices.state';
import { type AddItems, addItems } from './commands/add-items';
import { type AdjustItem, adjustItem } from './commands/adjust-item';
import { type RecordClosing, recordClosing } from './commands/record-closing';
import { type AskForInvoice, type InvoiceDue, askForInvoice, runDue } from './commands/ask-for-invoice';
import { type CommitDraft, commitDraftInvoice } from './commands/commit-draft';
import { type DeleteCredit, deleteCredit } from './commands/delete-credit';
import { type RecordChildBalances, recordChildBalances } from './commands/record-child-balances';
import { type RecordChildInvoice, recordChildInvoice } from './commands/record-child-invoice';
import { type RecordControlTag, recordControlTag } from './commands/record-control-tag';
import {
  type EndBillingChange,
  type RecordAccount,
  type RecordBillingTimeline,
  type RecordPayment,
  type RecordUsage,
  endBillingChange,
  recordAccount,
  recordPayment,
  recordTimeline,
  recordUsage,
} from './commands/record-facts';
import { type RecordOverdue, type RecordUnblocked, recordOverdue, recordUnblocked } from './commands/record-overdue';
import { type RecordLateUsage, recordLateUsage } from './commands/record-late-usage';
import { type RecordUnparked, endParking, recordUnparked } from './commands/record-unparked';
import { type RecordParentPayment, recordParentPayment } from './commands/record-parent-payment';
import { type TransferCredit, transferCredit } from './commands/transfer-credit';
import { type VoidInvoice, voidInvoice } from './commands/void-invoice';
import type { AccountInvoicesRejection } from './rejections';
import { settleCredit } from './settle-credit';
import { type Given, occasionOf } from './steps';

/** Moves credit to where it is owed, whatever kept it away before. */
export type RebalanceCredit = Given & { readonly type: 'RebalanceCredit' };

/** `now` is the tenant's clock when the command was made, `settings` what the tenant had set then. */
export type AccountInvoicesCommand = Fact | Request;

/** What others tell, and what falls due: it has happened, so it is never refused. */
type Fact =
  | RecordAccount
  | RecordBillingTimeline
  | EndBillingChange
  | RecordUsage
  | RecordLateUsage
  | RecordPayment
  | RecordControlTag
  | RecordUnparked
  | RecordClosing
  | RecordOverdue
  | RecordUnblocked
  | RecordChildInvoice
  | RecordChildBalances
  | RecordParentPayment
  | InvoiceDue;

/** What somebody asks for. */
type Request =
  AskForInvoice | AddItems | AdjustItem | CommitDraft | VoidInvoice | DeleteCredit | RebalanceCredit | TransferCredit;

type Recorder<One extends Fact> = (state: AccountInvoices, fact: One) => readonly AccountInvoicesEvent[];

/** What comes of each fact: one that is forgotten does not compile. */
const recorders: { readonly [Type in Fact['type']]: Recorder<Extract<Fact, { readonly type: Type }>> } = {
  RecordAccount: recordAccount,
  RecordBillingTimeline: recordTimeline,
  EndBillingChange: endBillingChange,
  RecordUsage: recordUsage,
  RecordLateUsage: recordLateUsage,
  RecordPayment: recordPayment,
  RecordControlTag: recordControlTag,
  RecordUnparked: recordUnparked,
  RecordClosing: recordClosing,
  RecordOverdue: recordOverdue,
  RecordUnblocked: recordUnblocked,
  RecordChildInvoice: recordChildInvoice,
  RecordChildBalances: recordChildBalances,
  RecordParentPayment: recordParentPayment,
  InvoiceDue: runDue,
};

const eventsOf = (state: AccountInvoices, fact: Fact): readonly AccountInvoicesEvent[] =>
  (recorders[fact.type] as Recorder<Fact>)(state, fact);

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
    case 'TransferCredit':
      return transferCredit(state, command);
    case 'RebalanceCredit':
      if (state.account === null) return reject({ code: 'account-unknown' });
      return accept(...settleCredit([], occasionOf(command))(state));
  }
};

const isFact = (command: AccountInvoicesCommand): command is Fact =>
  command.type.startsWith('Record') || command.type === 'EndBillingChange' || command.type === 'InvoiceDue';

const decided = (command: AccountInvoicesCommand, state: AccountInvoices): Answer =>
  isFact(command) ? accept(...eventsOf(state, command)) : answerTo(state, command);

const isPart = ({ type }: AccountInvoicesEvent): boolean => type === 'InvoiceItemsDrawn';

/** Items that are drawn mean nothing before their invoice is made, so they may be stored ahead of all else. */
const decide = (command: AccountInvoicesCommand, state: AccountInvoices): ReturnType<typeof decided> => {
  const decision = decided(command, state);
  if ('rejected' in decision) return decision;
  const events = state.parked === null ? decision.events : endParking(state, decision.events);
  if (!events.some(isPart)) return accept(...events);
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
