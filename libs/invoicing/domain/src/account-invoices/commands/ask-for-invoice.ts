import { type Decision, accept, reject } from '@billstream/event-sourcing';
import { type Instant, type LocalDate, plusMonths } from '@billstream/kernel';
import type { AccountInvoicesEvent, InvoiceRun, RecordedAccount } from '../account-invoices.events';
import type { AccountInvoices } from '../account-invoices.state';
import { invoiceRun } from '../invoice-run';
import type { AccountInvoicesRejection } from '../rejections';
import { type Given, type Occasion, occasionOf, todayOf } from '../steps';
import { isEndOverdue, recordUnblocked } from './record-overdue';
import { reschedule, runOn, runsByItself } from './automatic-run';

/** Somebody asks for an invoice; null is today. It runs whatever keeps the automatic ones off (Kill Bill 2.12). */
export type AskForInvoice = Given & { readonly type: 'Invoice'; readonly targetDate: LocalDate | null };

/** A scheduled run has come due. */
export type InvoiceDue = Given & { readonly type: 'InvoiceDue'; readonly dueAt: Instant };

export const isTooFar = (
  account: RecordedAccount,
  { targetDate }: InvoiceRun,
  occasion: Occasion,
): AccountInvoicesRejection | null =>
  targetDate > plusMonths(todayOf(account, occasion), occasion.settings.monthsAheadMax)
    ? { code: 'target-date-too-far', targetDate }
    : null;

export const askForInvoice = (
  state: AccountInvoices,
  command: AskForInvoice,
): Decision<AccountInvoicesEvent, AccountInvoicesRejection> => {
  if (state.account === null) return reject({ code: 'account-unknown' });
  const occasion = occasionOf(command);
  const run = { ...runOn(state.account, command.now, command.targetDate), isAsked: true as const };
  const tooFar = isTooFar(state.account, run, occasion);
  return tooFar ? reject(tooFar) : accept(...invoiceRun(run, occasion)(state));
};

/** Whether charging stops or goes on at an instant. */
const isPause = ({ subscriptions }: AccountInvoices, at: Instant): boolean =>
  Object.values(subscriptions).some(({ timeline }) =>
    timeline.transitions.some(
      ({ kind, effectiveAt }) => effectiveAt === at && (kind === 'BILLING_DISABLED' || kind === 'BILLING_ENABLED'),
    ),
  );

/** A pause that comes due late is invoiced up to the day that is done, all else up to its own day (Kill Bill 2.12). */
const dueRun = (state: AccountInvoices, account: RecordedAccount, { dueAt, now }: InvoiceDue): InvoiceRun =>
  runOn(account, dueAt < now && isPause(state, dueAt) ? now : dueAt);

export const runDue = (state: AccountInvoices, command: InvoiceDue): readonly AccountInvoicesEvent[] => {
  if (state.account === null || state.parked !== null) return [];
  if (isEndOverdue(state, command.dueAt)) return recordUnblocked(state, command);
  const occasion = occasionOf(command);
  return runsByItself(state)
    ? invoiceRun(dueRun(state, state.account, command), occasion)(state)
    : reschedule(occasion)(state);
};
