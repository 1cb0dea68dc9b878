import type { InvoiceJson } from '../answers';
import type { Figure } from '../case-file';
import { type Stage, accountOf, invoiceNamed, look, paymentNamed } from '../stage';
import type { Action } from './action';
import { type ItemChoice, pick } from './picked-items';
import { amount } from './plan-choice';

type Payment = { readonly amount?: Figure; readonly external?: boolean; readonly paymentExternalKey?: string };

const pay = async (stage: Stage, ref: string | undefined, invoice: InvoiceJson, payment: Payment): Promise<void> => {
  await stage.requests.send('POST', `/invoices/${invoice.invoiceId}/payments`, {
    query: { externalPayment: payment.external },
    body: {
      accountId: accountOf(stage, ref).accountId,
      targetInvoiceId: invoice.invoiceId,
      purchasedAmount: amount(payment.amount) ?? invoice.balance,
      currency: invoice.currency,
      paymentExternalKey: payment.paymentExternalKey,
    },
  });
};

type PayInvoice = Payment & { readonly account?: string; readonly invoice: string };

/** The source repeats both keys of the payment before; over REST a client can give only that of the payment. */
const payInvoice: Action<PayInvoice> = async (stage, args, { expect }) => {
  const repeats = expect?.error === 'PAYMENT_ACTIVE_TRANSACTION_KEY_EXISTS';
  const before = repeats ? (await look(stage).payments(args.account ?? 'a1')).at(-1) : undefined;
  const invoice = await invoiceNamed(stage, args.invoice, args.account);
  await pay(stage, args.account, invoice, {
    ...args,
    ...(before === undefined ? {} : { paymentExternalKey: before.paymentExternalKey }),
  });
};

const payAllUnpaid: Action<{ readonly account?: string; readonly order: 'MOST_RECENT_FIRST' }> = async (
  stage,
  { account },
) => {
  const unpaid = await look(stage).unpaidInvoices(account ?? 'a1');
  for (const invoice of [...unpaid].reverse()) await pay(stage, account, invoice, {});
};

type Refund = {
  readonly account?: string;
  readonly payment: string;
  readonly amount?: Figure;
  /** An adjustment is asked for, also where no item is named. */
  readonly adjusted?: boolean;
  /** Of the payment alone; the invoices are told by what it says. */
  readonly ofPayment?: boolean;
  readonly itemAdjustments?: readonly { readonly item: ItemChoice; readonly amount?: Figure }[];
};

/** Without an amount: all that is not refunded yet. */
const refund: Action<Refund> = async (stage, args) => {
  const payment = await paymentNamed(stage, args.payment, args.account);
  const adjustments: { invoiceItemId: string; amount: number | undefined }[] = [];
  for (const one of args.itemAdjustments ?? []) {
    const { items } = await pick(stage, {
      item: one.item,
      ...(args.account === undefined ? {} : { account: args.account }),
    });
    for (const { invoiceItemId } of items) adjustments.push({ invoiceItemId, amount: amount(one.amount) });
  }
  const refunded = amount(args.amount) ?? payment.purchasedAmount - payment.refundedAmount;
  if (args.ofPayment === true)
    await stage.requests.send('POST', `/payments/${payment.paymentId}/refunds`, { body: { amount: refunded } });
  else
    await stage.requests.send('POST', `/invoicePayments/${payment.paymentId}/refunds`, {
      body: { amount: refunded, isAdjusted: args.adjusted ?? adjustments.length > 0, adjustments },
    });
};

type OfPayment = { readonly account?: string; readonly payment: string };

const chargeback: Action<OfPayment> = async (stage, args) => {
  const { paymentId, purchasedAmount, currency } = await paymentNamed(stage, args.payment, args.account);
  await stage.requests.send('POST', `/invoicePayments/${paymentId}/chargebacks`, {
    body: { amount: purchasedAmount, currency },
  });
};

/** Of the last chargeback of the payment. */
const chargebackReversal: Action<OfPayment> = async (stage, args) => {
  const { paymentId, transactions } = await paymentNamed(stage, args.payment, args.account);
  const last = transactions.findLast(({ transactionType }) => transactionType === 'CHARGEBACK');
  if (last === undefined) throw new Error(`${args.payment} has no chargeback`);
  await stage.requests.send('POST', `/invoicePayments/${paymentId}/chargebackReversals`, {
    body: { transactionExternalKey: last.transactionExternalKey },
  });
};

/** Children's parents pay as well, hence all accounts. */
const transactionCount = async (stage: Stage): Promise<number> => {
  const view = look(stage);
  const payments = await Promise.all([...stage.accounts.keys()].map((ref) => view.payments(ref)));
  return payments.flat().flatMap(({ transactions }) => transactions).length;
};

const configure = (stage: Stage, body: Readonly<Record<string, unknown>>) =>
  stage.requests.send('POST', '/plugins/killbill-payment-test/configure', { body });

const wellBehaved = async (stage: Stage): Promise<void> => {
  stage.misbehavesPast = null;
  await configure(stage, { CONFIGURE_ACTION: 'ACTION_CLEAR' });
};

/** A gateway that was to misbehave once has done so when there is another transaction. */
export const endMisbehaviour = async (stage: Stage): Promise<void> => {
  if (stage.misbehavesPast !== null && (await transactionCount(stage)) > stage.misbehavesPast) await wellBehaved(stage);
};

type Gateway = {
  readonly mode: string;
  readonly value?: string | boolean;
  /** What is said of a payment, for modes that say it. */
  readonly status?: string;
  /** With a correction: what failed by it is tried again. */
  readonly retries?: boolean;
};

/** How the gateway answers what it does not take, by the mode that asks for it. */
const misbehaviour = ({ mode, value }: Gateway): Readonly<Record<string, unknown>> => {
  switch (mode) {
    case 'failNextPayment':
    case 'failAllPayments':
      return { CONFIGURE_ACTION: 'ACTION_RETURN_PLUGIN_STATUS_ERROR' };
    case 'unknownNextPayment':
      return { CONFIGURE_ACTION: 'RETURN_NIL' };
    case 'pendingNextPayment':
      return { CONFIGURE_ACTION: 'ACTION_RETURN_PLUGIN_STATUS_PENDING' };
    case 'processNextPaymentPartially':
      return { AMOUNT: Number(value) };
    default:
      throw new Error(`no gateway behaves like ${mode}`);
  }
};

const states: Readonly<Record<string, string>> = { SUCCESS: 'PURCHASE_SUCCESS', PAYMENT_FAILURE: 'PURCHASE_FAILED' };

/** The gateway's own word on a payment that was unknown reaches us as an administrator's correction, too. */
const corrected = async (stage: Stage, { value, status = 'PAYMENT_FAILURE', retries }: Gateway): Promise<void> => {
  const { paymentId, transactions } = await paymentNamed(stage, String(value));
  await stage.requests.send(
    'PUT',
    `/admin/payments/${paymentId}/transactions/${transactions.at(-1)?.transactionId ?? ''}`,
    {
      query: { pluginProperty: retries === true ? 'IPCD_RETRIES=true' : undefined },
      body: { transactionStatus: status, currentPaymentStateName: states[status] },
    },
  );
};

/** What became of a payment that was pending. */
const ended = async (stage: Stage, { value, status }: Gateway): Promise<void> => {
  const { paymentId, transactions } = await paymentNamed(stage, String(value));
  await stage.requests.send('POST', `/paymentTransactions/${transactions.at(-1)?.transactionId ?? ''}`, {
    body: { paymentId, status },
  });
};

const gateway: Action<Gateway> = async (stage, args) => {
  if (['overridePaymentStatus', 'correctTransaction'].includes(args.mode)) return corrected(stage, args);
  if (args.mode === 'endPending') return ended(stage, args);
  if (args.mode === 'failAllPayments' && args.value === false) return wellBehaved(stage);
  stage.misbehavesPast = args.mode === 'failAllPayments' ? null : await transactionCount(stage);
  await configure(stage, { ...misbehaviour(args), METHODS: 'purchasePayment' });
};

export const paymentActions = { payInvoice, payAllUnpaid, refund, chargeback, chargebackReversal, gateway };
