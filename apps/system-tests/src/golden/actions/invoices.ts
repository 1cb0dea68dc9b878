import type { InvoiceJson } from '../answers';
import type { Figure, When } from '../case-file';
import { Refusal } from '../requests';
import { type Stage, accountOf, bundleOf, categoryOf, invoiceNamed, subscriptionOf } from '../stage';
import type { Action } from './action';
import { type PickedArgs, pick } from './picked-items';
import { type PlanChoice, amount, overridesOf } from './plan-choice';

type Line = {
  readonly startDate: When;
  readonly endDate?: When;
  readonly amount: Figure;
  readonly currency?: string;
  readonly bundle?: string;
};
type Credit = Line & { readonly invoice?: string };
type Lines = { readonly account?: string; readonly date: When; readonly autoCommit: boolean };

const linesBody = (stage: Stage, lines: readonly Line[], ref?: string) => {
  const { accountId, currency } = accountOf(stage, ref);
  return lines.map((line) => ({
    accountId,
    currency: line.currency ?? currency,
    startDate: line.startDate,
    endDate: line.endDate,
    amount: amount(line.amount),
    bundleId: line.bundle === undefined ? undefined : bundleOf(stage, line.bundle).bundleId,
    description: 'golden case',
  }));
};

/** A credit that names an invoice goes on it. */
const credit: Action<Lines & { readonly credits: readonly Credit[] }> = async (stage, args) => {
  const lines = linesBody(stage, args.credits, args.account);
  const body: object[] = [];
  for (const [i, line] of lines.entries()) {
    const name = args.credits[i]?.invoice;
    const named = name === undefined ? {} : { invoiceId: (await invoiceNamed(stage, name, args.account)).invoiceId };
    body.push({ ...line, ...named });
  }
  await stage.requests.send('POST', '/credits', {
    query: { requestedDate: args.date, autoCommit: args.autoCommit },
    body,
  });
};

const externalCharge: Action<Lines & { readonly charges: readonly Line[] }> = async (stage, args) => {
  await stage.requests.send('POST', `/invoices/charges/${accountOf(stage, args.account).accountId}`, {
    query: { requestedDate: args.date, autoCommit: args.autoCommit },
    body: linesBody(stage, args.charges, args.account),
  });
};

type Adjustment = PickedArgs & { readonly date?: When; readonly dateFrom?: 'invoiceDate'; readonly amount?: Figure };

/** Without an amount: all that is left of the item. */
const itemAdjustment: Action<Adjustment> = async (stage, args) => {
  const { accountId, currency } = accountOf(stage, args.account);
  const { invoice, items } = await pick(stage, args);
  for (const { invoiceItemId } of items)
    await stage.requests.send('POST', `/invoices/${invoice.invoiceId}`, {
      query: { requestedDate: args.dateFrom === 'invoiceDate' ? invoice.invoiceDate : args.date },
      body: {
        accountId,
        invoiceItemId,
        amount: amount(args.amount),
        currency: args.amount === undefined ? undefined : currency,
      },
    });
};

const deleteCBA: Action<PickedArgs> = async (stage, args) => {
  const { accountId } = accountOf(stage, args.account);
  const { invoice, items } = await pick(stage, args);
  for (const { invoiceItemId } of items)
    await stage.requests.send('DELETE', `/invoices/${invoice.invoiceId}/${invoiceItemId}/cba`, {
      query: { accountId },
    });
};

type OneInvoice = { readonly invoice: string; readonly account?: string };

const commitInvoice: Action<OneInvoice> = async (stage, { invoice, account }) => {
  const { invoiceId } = await invoiceNamed(stage, invoice, account);
  await stage.requests.send('PUT', `/invoices/${invoiceId}/commitInvoice`);
};

const voidInvoice: Action<OneInvoice> = async (stage, { invoice, account }) => {
  const { invoiceId } = await invoiceNamed(stage, invoice, account);
  await stage.requests.send('PUT', `/invoices/${invoiceId}/voidInvoice`);
};

const triggerInvoice: Action<{ readonly account?: string; readonly targetDate: When }> = async (stage, args) => {
  stage.triggeredInvoiceId = null;
  const { accountId } = accountOf(stage, args.account);
  const answer = await stage.requests.send('POST', '/invoices', { query: { accountId, targetDate: args.targetDate } });
  stage.triggeredInvoiceId = (await stage.requests.created<InvoiceJson>(answer))?.invoiceId ?? null;
};

type DryRun = PlanChoice & {
  readonly account?: string;
  readonly type: string;
  readonly targetDate?: When;
  readonly event?: string;
  readonly subscription?: string;
  readonly bundle?: string;
  readonly effectiveDate?: When;
  readonly billingPolicy?: string;
};

/** As for a subscription, with another word for the price list; a phase counts only beside a product. */
const previewedPlan = (stage: Stage, { plan, product, billingPeriod, priceList, phase }: DryRun) =>
  product === undefined
    ? { planName: plan }
    : {
        productName: product,
        productCategory: categoryOf(stage, product),
        billingPeriod,
        priceListName: priceList,
        phaseType: phase,
      };

const dryRunInvoice: Action<DryRun> = async (stage, args) => {
  stage.preview = null;
  const { subscription, bundle } = args;
  const answer = await stage.requests.send('POST', '/invoices/dryRun', {
    query: { accountId: accountOf(stage, args.account).accountId, targetDate: args.targetDate },
    body: {
      dryRunType: args.type,
      dryRunAction: args.event,
      subscriptionId: subscription === undefined ? undefined : subscriptionOf(stage, subscription).subscriptionId,
      bundleId: bundle === undefined ? undefined : bundleOf(stage, bundle).bundleId,
      effectiveDate: args.effectiveDate,
      billingPolicy: args.billingPolicy,
      priceOverrides: overridesOf(stage, args.priceOverrides),
      ...previewedPlan(stage, args),
    },
  });
  // An answer without content says that there is nothing to bill.
  if (answer.status === 204) throw new Refusal('POST /1.0/kb/invoices/dryRun', answer);
  stage.preview = answer.json<InvoiceJson>();
};

export const invoiceActions = {
  ...{ credit, externalCharge, itemAdjustment, deleteCBA },
  ...{ commitInvoice, voidInvoice, triggerInvoice, dryRunInvoice },
};
