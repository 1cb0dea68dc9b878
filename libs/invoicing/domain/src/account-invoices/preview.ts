import { type Instant, type LocalDate, plusDays } from '@billstream/kernel';
import type { ClosedUsage } from '@billstream/metering-contracts';
import type { BillingTimeline, CommittedInvoice, InvoiceItem, InvoiceRun } from './account-invoices.events';
import { type AccountInvoices, evolve } from './account-invoices.state';
import { isTooFar } from './commands/ask-for-invoice';
import { runOn } from './commands/automatic-run';
import { chooseBillCycleDay } from './commands/record-facts';
import { generate } from './generate';
import { reusableDraft, runFor } from './invoice-run';
import { invoiceOf } from './make-invoice';
import { nextRunAt } from './next-run';
import type { AccountInvoicesRejection } from './rejections';
import { type Given, type Occasion, type Step, billable, inSequence, occasionOf, todayOf } from './steps';

/** `draftId`: the draft that is used again, to which the items would be added. */
export type Preview =
  | { readonly invoice: CommittedInvoice | null; readonly draftId?: string }
  | { readonly rejected: AccountInvoicesRejection };

export type PreviewRequest = Given & {
  readonly targetDate: LocalDate | null;
  /** The next invoice that comes by itself, whatever its day. */
  readonly upcoming: boolean;
  /** Whose billing the upcoming invoice has to hold; without it the next one is it. A subscription says more than a bundle. */
  readonly billing?: Billing;
  /** Timelines as they would be after a change that nobody has made; without it nobody asks for one. */
  readonly planned?: readonly BillingTimeline[];
  /** Quantities counted for this preview, of what `usageToPreview` named. */
  readonly counted?: readonly CountedUsage[];
};

export type CountedUsage = { readonly subscriptionId: string; readonly usages: readonly ClosedUsage[] };

/** What an invoice is looked for by: items of a subscription, or of any subscription of a bundle. */
export type Billing = { readonly subscriptionId: string } | { readonly bundleId: string };

/** How many scheduled runs that bill nobody who is asked about are passed over before there is no upcoming invoice. */
const emptyRunsMax = 40;

/** As many as there are days in the time that can be asked about. */
const scheduledRunsMax = 1_200;

const after = (state: AccountInvoices, steps: readonly Step[]): AccountInvoices =>
  inSequence(state, steps).reduce(evolve, state);

/** The state that a preview is about: with what is planned and counted for it, neither of which is recorded. */
export const previewed = (
  state: AccountInvoices,
  { planned = [], counted = [] }: Pick<PreviewRequest, 'planned' | 'counted'>,
): AccountInvoices =>
  after(state, [
    ...planned.map((data): Step => () => [{ type: 'BillingTimelineRecorded', data }]),
    chooseBillCycleDay,
    ...counted.map(({ subscriptionId, usages }): Step => ({ account }) => [
      {
        type: 'UsageRecorded',
        data: { requestId: 'preview', accountId: account?.accountId ?? '', subscriptionId, usages },
      },
    ]),
  ]);

/** The invoice of a run; null when it finds nothing to charge, or something that it cannot price. */
const invoiceAt = (state: AccountInvoices, run: InvoiceRun, occasion: Occasion): CommittedInvoice | null => {
  const known = billable(state);
  const generated = generate(state, run, occasion);
  if (known === null || 'unpriceable' in generated || generated.items.length === 0) return null;
  const dates = { targetDate: run.targetDate, today: todayOf(known.account, occasion) };
  return invoiceOf(state, known, generated.items, dates);
};

/** When runs would be by themselves; a change that is only planned schedules anew. */
export const firstRunAt = (state: AccountInvoices, occasion: Occasion): Instant | null => {
  const { account, lastRun, nextAt } = state;
  if (account === null) return null;
  return nextAt ?? nextRunAt(state, lastRun ?? runOn(account, occasion.now), occasion.settings);
};

/** The last day up to another on which a run comes by itself; null when none does. */
export const lastRunUpTo = (state: AccountInvoices, until: LocalDate, occasion: Occasion): LocalDate | null => {
  const { account } = state;
  let last: LocalDate | null = null;
  let at = account === null ? null : firstRunAt(state, occasion);
  for (let runs = 0; account !== null && at !== null && runs < scheduledRunsMax; runs += 1) {
    const run = runOn(account, at);
    if (run.targetDate > until) return last;
    last = run.targetDate;
    at = nextRunAt(state, run, occasion.settings);
  }
  return last;
};

const committed = (state: AccountInvoices, data: CommittedInvoice): AccountInvoices =>
  after(state, [() => [{ type: 'InvoiceCommitted', data }]]);

/** What runs charge up to a day is no part of the invoice of a later one. */
const chargedUpTo = (state: AccountInvoices, run: InvoiceRun, occasion: Occasion): AccountInvoices => {
  const earlier = invoiceAt(state, run, occasion);
  return earlier === null ? state : committed(state, earlier);
};

/**
 * The invoice of the last run that comes by itself up to the day asked about, after those before it have charged theirs;
 * without such a run, that of a run on the day itself.
 */
const invoiceUpTo = (state: AccountInvoices, wanted: InvoiceRun, occasion: Occasion): CommittedInvoice | null => {
  const targetDate = lastRunUpTo(state, wanted.targetDate, occasion);
  if (targetDate === null) return invoiceAt(state, runFor(state, wanted), occasion);
  const charged = chargedUpTo(state, { ...wanted, targetDate: plusDays(targetDate, -1) }, occasion);
  return invoiceAt(charged, { ...wanted, targetDate }, occasion);
};

export const isWanted = (item: Pick<InvoiceItem, 'subscriptionId' | 'bundleId'>, billing: Billing): boolean =>
  'subscriptionId' in billing ? item.subscriptionId === billing.subscriptionId : item.bundleId === billing.bundleId;

/** The account as if it had nothing but the subscriptions that are asked about; all of it where nobody is. */
const onlyOf = (state: AccountInvoices, billing: Billing | undefined): AccountInvoices =>
  billing === undefined
    ? state
    : {
        ...state,
        subscriptions: Object.fromEntries(
          Object.entries(state.subscriptions).filter(([, { timeline }]) => isWanted(timeline, billing)),
        ),
      };

/**
 * Runs that come by themselves and may bill those who are asked about, as `at` now: the account's next one, then only those
 * that are for their sake. The runs of others, of which each day may have one, are passed over.
 */
export const candidateRuns = (
  state: AccountInvoices,
  billing: Billing | undefined,
  occasion: Occasion,
): readonly InvoiceRun[] => {
  const { account } = state;
  const only = onlyOf(state, billing);
  const runs: InvoiceRun[] = [];
  let at = firstRunAt(state, occasion);
  while (account !== null && at !== null && runs.length < emptyRunsMax) {
    const scheduled = runFor(state, runOn(account, at));
    const run = { ...scheduled, at: occasion.now };
    if (isTooFar(account, run, occasion)) break;
    runs.push(run);
    at = nextRunAt(only, scheduled, occasion.settings);
  }
  return runs;
};

/**
 * The next invoice that comes by itself; where it must bill somebody, the first that does, whole, after those before it
 * have charged theirs (Kill Bill's dry run of an upcoming invoice).
 */
const upcomingInvoice = (
  state: AccountInvoices,
  billing: Billing | undefined,
  occasion: Occasion,
): CommittedInvoice | null => {
  if (Object.keys(onlyOf(state, billing).subscriptions).length === 0 && billing !== undefined) return null;
  for (const [index, run] of candidateRuns(state, billing, occasion).entries()) {
    const earlier = { ...run, targetDate: plusDays(run.targetDate, -1) };
    const charged = billing === undefined || index === 0 ? state : chargedUpTo(state, earlier, occasion);
    const invoice = invoiceAt(charged, run, occasion);
    if (invoice !== null && (billing === undefined || invoice.items.some((item) => isWanted(item, billing))))
      return invoice;
  }
  return null;
};

/** The invoice that asking for one would give, without deciding anything. Usage that nobody counted is left out. */
export const previewInvoice = (before: AccountInvoices, request: PreviewRequest): Preview => {
  const { targetDate, upcoming, billing, planned } = request;
  const occasion = occasionOf(request);
  const state = previewed(before, request);
  const { account } = state;
  if (!account) return { rejected: { code: 'account-unknown' } };
  const draftId = reusableDraft(state, account.accountId);
  const onDraft = draftId === null ? {} : { draftId };
  if (upcoming) return { invoice: upcomingInvoice(state, billing, occasion), ...onDraft };
  const run = runFor(state, runOn(account, occasion.now, targetDate));
  const tooFar = isTooFar(account, run, occasion);
  if (tooFar) return { rejected: tooFar };
  // Runs add to the draft, so all that they would add up to the day comes together.
  const isTogether = planned !== undefined || draftId !== null;
  return { invoice: isTogether ? invoiceAt(state, run, occasion) : invoiceUpTo(state, run, occasion), ...onDraft };
};
