import { dayIn } from '../account-days';
import type { InvoiceJson, PaymentJson, SubscriptionJson } from '../answers';
import type { Scalar } from '../case-file';
import { type Stage, accountOf, ownerAndName, subscriptionOf } from '../stage';
import type { View } from '../view';

/** Where the API does not tell. */
export const notShown: unique symbol = Symbol('not shown');
export type Found = Scalar | typeof notShown;

/** The API's word for what the source reads from a subscription. */
const ofSubscription: Readonly<Record<string, string>> = {
  chargedThroughDate: 'chargedThroughDate',
  state: 'state',
  effectiveStartDate: 'startDate',
  effectiveEndDate: 'cancelledDate',
  billingStartDate: 'billingStartDate',
  billingEndDate: 'billingEndDate',
  'lastActivePlan.name': 'planName',
  'lastActiveProduct.name': 'productName',
  lastActiveProductCategory: 'productCategory',
  'lastActivePhase.phaseType': 'phaseType',
  'currentPlan.recurringBillingPeriod': 'billingPeriod',
  billCycleDayLocal: 'billCycleDayLocal',
  priceList: 'priceList',
  quantity: 'quantity',
  sourceType: 'sourceType',
};

const ofInvoice: Readonly<Record<string, (invoice: InvoiceJson) => Scalar>> = {
  balance: ({ balance }) => balance,
  chargedAmount: ({ amount }) => amount,
  creditedAmount: ({ creditAdj }) => creditAdj,
  status: ({ status }) => status,
  targetDate: ({ targetDate }) => targetDate,
  invoiceDate: ({ invoiceDate }) => invoiceDate,
  'items.count': ({ items }) => items?.length ?? 0,
};

const nth = <T>(list: readonly T[], position: number, what: string): T => {
  const found = list[position - 1];
  if (found === undefined) throw new Error(`there is no ${what}[${String(position)}], only ${String(list.length)}`);
  return found;
};

/** `START_ENTITLEMENT START_BILLING PHASE`: what happened and what is planned, in the order in which the API tells it. */
const eventTypes = ({ events }: SubscriptionJson): string =>
  (events as readonly { readonly eventType: string }[]).map(({ eventType }) => eventType).join(' ');

const subscriptionField = async (stage: Stage, view: View, ref: string, field: string): Promise<Found> => {
  if (field === 'events') return eventTypes(await view.subscription(ref));
  const name = ofSubscription[field];
  if (name === undefined) throw new Error(`nothing is known of a subscription's ${field}`);
  const value = ((await view.subscription(ref))[name] ?? null) as Scalar;
  const { time } = accountOf(stage, subscriptionOf(stage, ref).account);
  return name.endsWith('Date') && typeof value === 'string' ? dayIn(time, value) : value;
};

/** What was taken, refunds not deducted: the invoice does not say, its payments do. */
const paidAmount = (payments: readonly PaymentJson[]): number =>
  payments
    .flatMap(({ transactions }) => transactions)
    .filter(({ transactionType, status }) => transactionType === 'PURCHASE' && status === 'SUCCESS')
    .reduce((sum, { processedAmount, amount }) => sum + (processedAmount ?? amount ?? 0), 0);

const invoiceField = async (view: View, invoice: InvoiceJson, field: string): Promise<Found> => {
  if (field === 'payments.count') return (await view.paymentsOfInvoice(invoice.invoiceId)).length;
  if (field === 'paidAmount') return paidAmount(await view.paymentsOfInvoice(invoice.invoiceId));
  const read = ofInvoice[field];
  if (read === undefined) throw new Error(`nothing is known of an invoice's ${field}`);
  return read(invoice);
};

const paymentField = (payment: PaymentJson, field: string): Found => {
  if (field === 'transactions.count') return payment.transactions.length;
  const inside = /^transactions\[(\d+)\]\.(\w+)$/.exec(field);
  const holder: Readonly<Record<string, unknown>> =
    inside === null ? payment : nth(payment.transactions, Number(inside[1]), 'transactions');
  const name = inside?.[2] ?? field;
  // What a gateway calls processed of a payment that did not succeed is its own affair.
  if (name === 'processedAmount' && holder['status'] !== 'SUCCESS') return notShown;
  if (!(name in holder)) throw new Error(`nothing is known of a payment's ${field}`);
  return holder[name] as Scalar;
};

const ofAccount: Readonly<Record<string, (view: View, ref: string) => Promise<Found>>> = {
  accountBalance: async (view, ref) => (await view.account(ref)).accountBalance,
  accountCBA: async (view, ref) => (await view.account(ref)).accountCBA,
  // The source says 0 where no day is set yet.
  'account.billCycleDayLocal': async (view, ref) => (await view.account(ref)).billCycleDayLocal ?? 0,
  'account.hasParent': async (view, ref) => ((await view.account(ref)).parentAccountId ?? null) !== null,
  'invoices.count': async (view, ref) => (await view.invoices(ref)).length,
  'unpaidInvoices.count': async (view, ref) => (await view.unpaidInvoices(ref)).length,
  'payments.count': async (view, ref) => (await view.payments(ref)).length,
  overdueState: async (view, ref) => {
    const { name, isClearState } = await view.overdue(ref);
    return isClearState ? 'CLEAR' : name;
  },
};

/** `invoice[n]` of an account, or the last preview. */
export const invoiceAt = async (stage: Stage, view: View, owner: string): Promise<InvoiceJson> => {
  const { account, name } = ownerAndName(owner);
  if (name !== 'dryRun') return nth(await view.invoices(account), Number(/\d+/.exec(name)?.[0]), 'invoice');
  if (stage.preview === null) throw new Error('there is no preview');
  return stage.preview;
};

/** What the API says at a path such as `s1.state`, `a2.invoice[1].balance`, `payment[1].transactions[2].amount`. */
export const found = async (stage: Stage, view: View, path: string): Promise<Found> => {
  const { account, name } = ownerAndName(path);
  const [, subject = '', field = ''] = /^(s\d+|invoice\[\d+\]|payment\[\d+\]|dryRun)\.(.+)$/.exec(name) ?? [];
  if (subject.startsWith('s')) return subscriptionField(stage, view, subject, field);
  if (subject.startsWith('payment'))
    return paymentField(nth(await view.payments(account), Number(/\d+/.exec(subject)?.[0]), 'payment'), field);
  if (subject !== '') return invoiceField(view, await invoiceAt(stage, view, `${account}.${subject}`), field);
  const read = ofAccount[name];
  if (read === undefined) throw new Error(`nothing is known of ${path}`);
  return read(view, account);
};
