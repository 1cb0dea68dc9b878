import type { LocalDate } from '@billstream/kernel';
import { localDateOf } from '@billstream/kernel';
import type { BillingTimeline, CommittedInvoice } from './account-invoices.events';
import type { AccountInvoices } from './account-invoices.state';
import { evolve } from './account-invoices.state';
import { accountTimeOf } from './billing-events';
import { runOn } from './commands/automatic-run';
import { isTooFar } from './commands/ask-for-invoice';
import { generate } from './generate';
import { runFor } from './invoice-run';
import { invoiceOf } from './make-invoice';
import type { AccountInvoicesRejection } from './rejections';
import { type Given, billable, occasionOf, todayOf } from './steps';

export type Preview = { readonly invoice: CommittedInvoice | null } | { readonly rejected: AccountInvoicesRejection };

export type PreviewRequest = Given & {
  readonly targetDate: LocalDate | null;
  /** Takes the day of the next scheduled run instead. */
  readonly upcoming: boolean;
  /** Timelines as they would be after a change that nobody has made. */
  readonly planned?: readonly BillingTimeline[];
};

const withPlanned = (state: AccountInvoices, planned: readonly BillingTimeline[]): AccountInvoices =>
  planned.reduce((so, data) => evolve(so, { type: 'BillingTimelineRecorded', data }), state);

/** The invoice that asking for one would give, without deciding anything. Usage that is not known yet is left out. */
export const previewInvoice = (before: AccountInvoices, request: PreviewRequest): Preview => {
  const { targetDate, upcoming, planned = [] } = request;
  const occasion = occasionOf(request);
  const state = withPlanned(before, planned);
  const { account } = state;
  if (!account) return { rejected: { code: 'account-unknown' } };
  const nextDate = upcoming && state.nextAt !== null ? localDateOf(state.nextAt, accountTimeOf(account)) : targetDate;
  const run = runFor(state, runOn(account, occasion.now, nextDate));
  const tooFar = isTooFar(account, run, occasion);
  if (tooFar) return { rejected: tooFar };
  const generated = generate(state, run, occasion);
  const known = billable(state);
  if (known === null || 'unpriceable' in generated || generated.items.length === 0) return { invoice: null };
  const dates = { targetDate: run.targetDate, today: todayOf(account, occasion) };
  return { invoice: invoiceOf(state, known, generated.items, dates) };
};
