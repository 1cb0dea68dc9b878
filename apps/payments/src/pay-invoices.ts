import { type RequestContext, unwrap } from '@billstream/http';
import {
  type InvoicePaymentsCommand,
  externalPlugin,
  invoicePaymentsStream,
  payerAccountStream,
} from '@billstream/payments-domain';
import { debtsOfAccount } from '@billstream/payments-read-models';
import { derivedId } from '@billstream/kernel';
import { paymentProblem, payerProblem } from './http/problems';
import { type Payments, stepOf } from './payments';

/** `external`: the id of the method that stands for money that came another way; null: charge the default method. */
export type HowToPay = {
  readonly accountId: string;
  readonly external: string | null;
  /** At most this much; null: everything that is owed. */
  readonly amountMinor: number | null;
};

export type Paid = { readonly paymentId: string; readonly transactionId: string };

/** Opens a payment of one invoice (or records one made elsewhere); null when nothing is owed. */
export const payInvoice = async (
  payments: Payments,
  context: RequestContext,
  invoiceId: string,
  how: HowToPay,
): Promise<Paid | null> => {
  const { accountId, external, amountMinor } = how;
  const now = payments.runtime.clock.now(context.tenantId);
  const command: InvoicePaymentsCommand =
    external === null
      ? {
          type: 'PayInvoice',
          data: { method: (await payments.payerOf(context.tenantId, accountId)).method, amountMinor, now },
        }
      : {
          type: 'RecordExternalPayment',
          data: { paymentMethodId: external, pluginName: externalPlugin, amountMinor, now },
        };
  const step = stepOf(context, payments, `pay-invoice/${invoiceId}`);
  const handled = await payments.invoicePayments(invoicePaymentsStream(invoiceId), command, step);
  if (handled.outcome === 'rejected' && handled.rejection.code === 'nothing-owed') return null;
  const { events, position } = unwrap(handled, paymentProblem(invoiceId));
  await payments.runtime.visible(position);
  const requested = events.find((event) => event.type === 'PaymentRequested');
  if (requested === undefined) throw new Error(`paying invoice ${invoiceId} opened no payment`);
  const { paymentId, transactionId } = requested.data;
  return { paymentId, transactionId };
};

/** Pays what the account owes, the oldest invoice first, up to the amount (Kill Bill 2.15). Invoices being paid are left out. */
export const payAllInvoices = async (
  payments: Payments,
  context: RequestContext,
  how: HowToPay,
): Promise<readonly Paid[]> => {
  const { runtime } = payments;
  await runtime.caughtUp();
  let left = how.amountMinor;
  const paid: Paid[] = [];
  for (const { invoiceId, balanceMinor } of await debtsOfAccount(runtime.database, context.tenantId, how.accountId)) {
    if (left !== null && left <= 0) break;
    const amountMinor = left === null ? null : Math.min(left, Number(balanceMinor));
    if (await isUnderWay(payments, context, invoiceId)) continue;
    const one = await payInvoice(payments, context, invoiceId, { ...how, amountMinor });
    if (one === null) continue;
    paid.push(one);
    left = left === null || amountMinor === null ? null : left - amountMinor;
  }
  return paid;
};

const isUnderWay = async (payments: Payments, context: RequestContext, invoiceId: string): Promise<boolean> => {
  const step = stepOf(context, payments, `look/${invoiceId}`);
  const handled = await payments.invoicePayments(invoicePaymentsStream(invoiceId), { type: 'Look' }, step);
  return handled.outcome === 'accepted' && handled.state.open !== null;
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
