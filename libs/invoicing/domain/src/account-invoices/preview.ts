import { type Instant, type LocalDate, localDateOf, plusDays } from '@billstream/kernel';
import type { BillingTimeline, CommittedInvoice, InvoiceRun } from './account-invoices.events';
import { type AccountInvoices, evolve } from './account-invoices.state';
import { accountTimeOf } from './billing-events';
import { isTooFar } from './commands/ask-for-invoice';
import { runOn } from './commands/automatic-run';
import { chooseBillCycleDay } from './commands/record-facts';
import { generate } from './generate';
import { runFor } from './invoice-run';
import { invoiceOf } from './make-invoice';
import { nextRunAt } from './next-run';
import type { AccountInvoicesRejection } from './rejections';
import { type Given, type Occasion, type Step, billable, inSequence, occasionOf, todayOf } from './steps';

export type Preview = { readonly invoice: CommittedInvoice | null } | { readonly rejected: AccountInvoicesRejection };

export type PreviewRequest = Given & {
  readonly targetDate: LocalDate | null;
  /** The next invoice that comes by itself, whatever its day. */
  readonly upcoming: boolean;
  /** Timelines as they would be after a change that nobody has made. */
  readonly planned?: readonly BillingTimeline[];
};

/** How many scheduled runs that make nothing are passed over before there is no upcoming invoice. */
const emptyRunsMax = 40;

const after = (state: AccountInvoices, steps: readonly Step[]): AccountInvoices =>
  inSequence(state, steps).reduce(evolve, state);

const withPlanned = (state: AccountInvoices, planned: readonly BillingTimeline[]): AccountInvoices =>
  after(state, [...planned.map((data): Step => () => [{ type: 'BillingTimelineRecorded', data }]), chooseBillCycleDay]);

/** The invoice of a run; null when it finds nothing to charge, or something that it cannot price. */
const invoiceAt = (state: AccountInvoices, run: InvoiceRun, occasion: Occasion): CommittedInvoice | null => {
  const known = billable(state);
  const generated = generate(state, run, occasion);
  if (known === null || 'unpriceable' in generated || generated.items.length === 0) return null;
  const dates = { targetDate: run.targetDate, today: todayOf(known.account, occasion) };
  return invoiceOf(state, known, generated.items, dates);
};

/** Runs that are scheduled before the day asked about will have charged what they find: it is no part of that day's invoice. */
const afterEarlierRuns = (state: AccountInvoices, run: InvoiceRun, occasion: Occasion): AccountInvoices => {
  const { account, nextAt } = state;
  if (account === null || nextAt === null) return state;
  if (localDateOf(nextAt, accountTimeOf(account)) >= run.targetDate) return state;
  const earlier = invoiceAt(state, { ...run, targetDate: plusDays(run.targetDate, -1) }, occasion);
  return earlier === null ? state : after(state, [() => [{ type: 'InvoiceCommitted', data: earlier }]]);
};

/** When runs would be by themselves; a change that is only planned schedules anew. */
const firstRunAt = (state: AccountInvoices, occasion: Occasion): Instant | null => {
  const { account, lastRun, nextAt } = state;
  if (account === null) return null;
  return nextAt ?? nextRunAt(state, lastRun ?? runOn(account, occasion.now), occasion.settings);
};

const upcomingInvoice = (state: AccountInvoices, occasion: Occasion): CommittedInvoice | null => {
  const { account } = state;
  if (account === null) return null;
  let at = firstRunAt(state, occasion);
  for (let passed = 0; at !== null && passed < emptyRunsMax; passed += 1) {
    const run = runFor(state, runOn(account, at));
    if (isTooFar(account, run, occasion)) return null;
    const invoice = invoiceAt(state, { ...run, at: occasion.now }, occasion);
    if (invoice !== null) return invoice;
    at = nextRunAt(state, run, occasion.settings);
  }
  return null;
};

/** The invoice that asking for one would give, without deciding anything. Usage that is not known yet is left out. */
export const previewInvoice = (before: AccountInvoices, request: PreviewRequest): Preview => {
  const { targetDate, upcoming, planned = [] } = request;
  const occasion = occasionOf(request);
  const state = withPlanned(before, planned);
  const { account } = state;
  if (!account) return { rejected: { code: 'account-unknown' } };
  if (upcoming) return { invoice: upcomingInvoice(state, occasion) };
  const run = runFor(state, runOn(account, occasion.now, targetDate));
  const tooFar = isTooFar(account, run, occasion);
  if (tooFar) return { rejected: tooFar };
  const charged = planned.length === 0 ? afterEarlierRuns(state, run, occasion) : state;
  return { invoice: invoiceAt(charged, run, occasion) };
};
