import { type RequestContext, killBillProblem, unwrap } from '@billstream/http';
import {
  type AskedInvoice,
  type ChargedMethod,
  type ClientKeys,
  type InvoicePaymentsCommand,
  type InvoicePaymentsRejection,
  chargeableMinor,
  externalPlugin,
  invoicePaymentsStream,
  payerAccountStream,
} from '@billstream/payments-domain';
import { type PaymentView, debtsOfAccount, paymentByKey } from '@billstream/payments-read-models';
import { type LocalDate, derivedId } from '@billstream/kernel';
import { setTimeout as pause } from 'node:timers/promises';
import { type Named, type NamedPayment, isSentAgain, nameNextPayment, stateOf } from './client-keys';
import { keyTaken, paymentProblem, payerProblem } from './http/problems';
import { type Payments, stepOf } from './payments';

/** `external`: the id of the method that stands for money that came another way; null: charge the default method. */
export type HowToPay = {
  readonly accountId: string;
  readonly external: string | null;
  /** At most this much; null: everything that is owed. */
  readonly amountMinor: number | null;
  /** Of all invoices only those that charge no further than this day. */
  readonly upTo?: LocalDate;
  /** Instead of the default method. */
  readonly method?: ChargedMethod | null;
  readonly keys?: ClientKeys;
};

/** `amountMinor`: as asked for, in minor units. */
export type Paid = { readonly paymentId: string; readonly transactionId: string; readonly amountMinor: number };

/** Opens a payment of one invoice (or records one made elsewhere); null when nothing is owed. */
export const payInvoice = async (
  payments: Payments,
  context: RequestContext,
  invoiceId: string,
  how: HowToPay,
): Promise<Paid | null> => {
  const command = await commandOf(payments, context, how);
  const keys = await namesOf(payments, context, { invoiceId, keys: how.keys ?? {}, command });
  if ('refused' in keys) return nothingOwed(invoiceId, keys.refused);
  return 'paymentId' in keys ? keys : begin(payments, context, invoiceId, { command, keys });
};

type Asked = Extract<InvoicePaymentsCommand, { readonly type: 'PayInvoice' | 'RecordExternalPayment' }>;

/** What asks for the payment, before it has names. */
const commandOf = async (payments: Payments, context: RequestContext, how: HowToPay): Promise<Asked> => {
  const { external, amountMinor } = how;
  const now = payments.runtime.clock.now(context.tenantId);
  return external === null
    ? { type: 'PayInvoice', data: { method: await methodOf(payments, context, how), amountMinor, now } }
    : {
        type: 'RecordExternalPayment',
        data: { paymentMethodId: external, pluginName: externalPlugin, amountMinor, now },
      };
};

/** Null where nothing was owed; any other refusal is thrown. */
const nothingOwed = (invoiceId: string, rejection: InvoicePaymentsRejection): null => {
  if (rejection.code === 'nothing-owed') return null;
  throw paymentProblem(invoiceId)(rejection);
};

const named = (command: Asked, keys: ClientKeys): Asked =>
  command.type === 'PayInvoice'
    ? { ...command, data: { ...command.data, ...keys } }
    : { ...command, data: { ...command.data, ...keys } };

/**
 * The client's names of the payment that is to begin, claimed for it. A client that repeats one for the same invoice gets
 * the payment that is under way.
 */
const namesOf = async (
  payments: Payments,
  context: RequestContext,
  asked: NamedPayment,
): Promise<ClientKeys | Paid | Extract<Named, { readonly refused: object }>> => {
  const { invoiceId, keys } = asked;
  if (keys.paymentKey === undefined && keys.transactionKey === undefined) return {};
  const claimed = await nameNextPayment(payments, context, asked);
  if ('refused' in claimed) return claimed;
  if ('ofPayment' in claimed) return { ...keys, ofPayment: claimed.ofPayment };
  return paidBefore(payments, context, { invoiceId, key: claimed.key, view: claimed.holder });
};

const begin = async (
  payments: Payments,
  context: RequestContext,
  invoiceId: string,
  { command, keys }: { readonly command: Asked; readonly keys: ClientKeys },
): Promise<Paid | null> => {
  const step = stepOf(context, payments, `pay-invoice/${invoiceId}`);
  const handled = await payments.invoicePayments(invoicePaymentsStream(invoiceId), named(command, keys), step);
  if (handled.outcome === 'rejected') {
    const made = await madeMeanwhile(payments, context, invoiceId, keys);
    if (made !== null) return made;
    return nothingOwed(invoiceId, handled.rejection);
  }
  const { events, position } = unwrap(handled, paymentProblem(invoiceId));
  await payments.runtime.visible(position);
  const requested = events.find((event) => event.type === 'PaymentRequested');
  if (requested === undefined) throw new Error(`paying invoice ${invoiceId} opened no payment`);
  const { paymentId, transactionId, amountMinor: askedMinor } = requested.data;
  if (command.type === 'PayInvoice') await executed(payments, context, { invoiceId, paymentId, transactionId });
  return { paymentId, transactionId, amountMinor: askedMinor };
};

/** What an equal request, which came at the same time, has made of the names. */
const madeMeanwhile = async (
  payments: Payments,
  context: RequestContext,
  invoiceId: string,
  { paymentKey: key, ofPayment }: ClientKeys,
): Promise<Paid | null> => {
  if (key === undefined) return null;
  await payments.runtime.caughtUp();
  const view = await paymentByKey(payments.runtime.database, context.tenantId, key);
  return view?.paymentId === ofPayment ? paidBefore(payments, context, { invoiceId, key, view }) : null;
};

const methodOf = async (payments: Payments, { tenantId }: RequestContext, { accountId, method }: HowToPay) =>
  method ?? (await payments.payerOf(tenantId, accountId)).method;

type Attempt = Omit<Paid, 'amountMinor'> & { readonly invoiceId: string };
const shortestPauseMs = 5;
const longestPauseMs = 250;
/** As long as Kill Bill waits for a plugin; the attempt goes on after that. */
const patienceMs = 30_000;

/** Whoever asks is told when it has happened: the attempt is made at once, or waited for where somebody else makes it. */
const executed = async (payments: Payments, context: RequestContext, attempt: Attempt): Promise<void> => {
  const { tenantId, correlationId } = context;
  const { invoiceId, transactionId } = attempt;
  await payments.executor.execute({ ...attempt, tenantId, correlationId, dueAt: payments.runtime.clock.now(tenantId) });
  const until = Date.now() + patienceMs;
  for (let wait = shortestPauseMs; Date.now() < until; wait = Math.min(2 * wait, longestPauseMs)) {
    const { open } = await stateOf(payments, context, invoiceId);
    const isCalling = open?.status === 'requested' || open?.status === 'dispatched';
    if (open?.transactionId !== transactionId || !isCalling) break;
    await pause(wait);
  }
  await payments.runtime.caughtUp();
};

const failures: ReadonlySet<string> = new Set(['PAYMENT_FAILURE', 'PLUGIN_FAILURE', 'ABORTED']);

/**
 * The transaction of a payment of this invoice that may yet pay, or has paid for this very request. One that has paid is
 * no answer to another request of its name: Kill Bill refuses that.
 */
const paidBefore = async (
  payments: Payments,
  context: RequestContext,
  { invoiceId, key, view }: { readonly invoiceId: string; readonly key: string; readonly view: PaymentView | null },
): Promise<Paid> => {
  const made =
    view?.invoiceId === invoiceId
      ? view.transactions.find(({ transactionType, state }) => transactionType === 'PURCHASE' && !failures.has(state))
      : undefined;
  if (view === null || made === undefined) throw keyTaken('paymentExternalKey', key);
  const { paymentId } = view;
  if (made.state === 'SUCCESS' && !(await isSentAgain(payments, context, { key, paymentId })))
    throw killBillProblem(400, 7030, 'PaymentApiException', `paymentExternalKey: the payment ${key} was made before`);
  const { transactionId, amountMinor } = made;
  const paid = { paymentId, transactionId, amountMinor };
  if (made.state === 'REQUESTED' || made.state === 'DISPATCHED')
    await executed(payments, context, { ...paid, invoiceId });
  return paid;
};

export type PaidInvoice = Paid & { readonly invoiceId: string };

/**
 * Pays what the account owes, the oldest invoice first, up to the amount (Kill Bill 2.15). Invoices being paid are left
 * out. What came another way and was not owed becomes credit.
 */
export const payAllInvoices = async (
  payments: Payments,
  context: RequestContext,
  how: HowToPay,
): Promise<readonly PaidInvoice[]> => {
  const paid: PaidInvoice[] = [];
  for (const { invoiceId, amountMinor } of await askedInvoices(payments, context, how)) {
    const state = await stateOf(payments, context, invoiceId);
    // What came another way is not excess because an automatic payment has just begun: the request fails and is repeated.
    if (state.open !== null && how.external === null) continue;
    const atMost = amountMinor === null ? null : Math.min(amountMinor, Math.max(chargeableMinor(state), 0));
    const one = await payInvoice(payments, context, invoiceId, { ...how, amountMinor: atMost });
    if (one !== null) paid.push({ ...one, invoiceId });
  }
  const left = (how.amountMinor ?? 0) - paid.reduce((sum, { amountMinor }) => sum + amountMinor, 0);
  const excessMinor = how.external === null ? 0 : Math.max(left, 0);
  if (excessMinor > 0) await recordExcess(payments, context, how.accountId, excessMinor);
  return paid;
};

/** What was owed when this was asked for the first time: a repeat must not spend the amount on other invoices. */
const askedInvoices = async (
  payments: Payments,
  context: RequestContext,
  { accountId, amountMinor: total, upTo }: HowToPay,
): Promise<readonly AskedInvoice[]> => {
  const { runtime } = payments;
  await runtime.caughtUp();
  let left = total;
  const invoices: AskedInvoice[] = [];
  const debts = await debtsOfAccount(runtime.database, context.tenantId, accountId);
  for (const { invoiceId, balanceMinor, targetDate } of debts) {
    if (left !== null && left <= 0) break;
    if (upTo !== undefined && targetDate > upTo) continue;
    const amountMinor = left === null ? null : Math.min(left, Number(balanceMinor));
    if ((await stateOf(payments, context, invoiceId)).open !== null) continue;
    invoices.push({ invoiceId, amountMinor });
    left = left === null || amountMinor === null ? null : left - amountMinor;
  }
  const command = { type: 'AskForAllInvoices' as const, data: { invoices, now: runtime.clock.now(context.tenantId) } };
  const { events } = unwrap(
    await payments.payer(payerAccountStream(accountId), command, stepOf(context, payments, 'pay-all')),
    payerProblem(accountId),
  );
  return events.flatMap((event) => (event.type === 'AllInvoicesAsked' ? event.data.invoices : []));
};

const recordExcess = async (
  payments: Payments,
  context: RequestContext,
  accountId: string,
  amountMinor: number,
): Promise<void> => {
  const now = payments.runtime.clock.now(context.tenantId);
  unwrap(
    await payments.payer(
      payerAccountStream(accountId),
      { type: 'RecordExcess', data: { amountMinor, now } },
      stepOf(context, payments, 'excess'),
    ),
    payerProblem(accountId),
  );
};

/** The account's method for money that came another way, made on demand as Kill Bill does. */
export const externalMethodOf = async (
  payments: Payments,
  context: RequestContext,
  accountId: string,
): Promise<string> => {
  const paymentMethodId = derivedId('external-payment-method', accountId);
  const key = { externalKey: null, credential: null, tokenDigest: null };
  const data = { paymentMethodId, pluginName: externalPlugin, ...key, isDefault: false };
  const step = stepOf(context, payments, 'external-method');
  unwrap(
    await payments.payer(payerAccountStream(accountId), { type: 'AddPaymentMethod', data }, step),
    payerProblem(accountId),
  );
  return paymentMethodId;
};
