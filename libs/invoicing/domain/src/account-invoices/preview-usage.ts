import type { AccountInvoicesEvent, InvoiceRun } from './account-invoices.events';
import type { AccountInvoices } from './account-invoices.state';
import { isTooFar } from './commands/ask-for-invoice';
import { runOn } from './commands/automatic-run';
import { generate, unknownUsage } from './generate';
import { reusableDraft, runFor, usageRequests } from './invoice-run';
import { type Billing, type PreviewRequest, candidateRuns, isWanted, lastRunUpTo, previewed } from './preview';
import { type Occasion, occasionOf } from './steps';

/** What metering has to count before a preview is whole: the requests that the run would record. */
export type UsageRequest = Extract<AccountInvoicesEvent, { readonly type: 'UsageRequested' }>['data'];

/** Whether a run would bill somebody, once the usage that it needs is counted. */
const mayBill = (state: AccountInvoices, run: InvoiceRun, wanted: Billing | undefined, occasion: Occasion): boolean => {
  const isOf = (one: Parameters<typeof isWanted>[0]): boolean => wanted === undefined || isWanted(one, wanted);
  if (unknownUsage(state, run, occasion).some(({ ledger }) => isOf(ledger.timeline))) return true;
  const generated = generate(state, run, occasion);
  return 'items' in generated && generated.items.some(isOf);
};

/** The first run by itself that may make the upcoming invoice; null when there is none in the time that can be asked about. */
const upcomingRun = (state: AccountInvoices, wanted: Billing | undefined, occasion: Occasion): InvoiceRun | null =>
  candidateRuns(state, wanted, occasion).find((run) => mayBill(state, run, wanted, occasion)) ?? null;

const previewedRun = (state: AccountInvoices, request: PreviewRequest, occasion: Occasion): InvoiceRun | null => {
  const { account } = state;
  if (account === null) return null;
  if (request.upcoming) return upcomingRun(state, request.billing, occasion);
  const run = runFor(state, runOn(account, occasion.now, request.targetDate));
  if (isTooFar(account, run, occasion)) return null;
  if (request.planned !== undefined || reusableDraft(state, account.accountId) !== null) return run;
  return { ...run, targetDate: lastRunUpTo(state, run.targetDate, occasion) ?? run.targetDate };
};

/**
 * Usage that a preview needs counted, also what a run has asked for and was not answered yet. Empty where there is none, and
 * for what cannot be previewed, which the preview itself refuses.
 */
export const usageToPreview = (before: AccountInvoices, request: PreviewRequest): readonly UsageRequest[] => {
  const occasion = occasionOf(request);
  const state: AccountInvoices = { ...previewed(before, request), pending: null };
  const run = previewedRun(state, request, occasion);
  return run === null || state.account === null ? [] : usageRequests(state, state.account, run, occasion);
};
