import { type RequestContext, killBillProblem } from '@billstream/http';
import { parseUuid } from '@billstream/kernel';
import { payPalPlugin, paymentTestPlugin } from '@billstream/payments-domain';
import type { Notification } from '@billstream/payments-gateways';
import { type PaymentView, type TransactionView, paymentById } from '@billstream/payments-read-models';
import { type SaidState, correctTransaction } from './correct-transaction';
import { lookTwice } from './http/find';
import { invalidValue, unknownPlugin } from './http/problems';
import type { Payments } from './payments';

const states = {
  succeeded: 'SUCCESS',
  failed: 'PAYMENT_FAILURE',
  'not-executed': 'PLUGIN_FAILURE',
} as const satisfies Record<Extract<Notification, { kind: 'Said' }>['status'], SaidState>;

/**
 * Has a payment looked at that its provider told something of. What is decided already stays as it is, so a message may
 * come again, late, or out of order; one about a payment that is not ours is taken too, lest the provider repeats it for
 * days. Throws what Kill Bill answers for a plugin it does not have, and for a message the plugin cannot read.
 */
export const takeNotification = async (
  payments: Payments,
  context: RequestContext,
  { pluginName, payload }: { readonly pluginName: string; readonly payload: string },
): Promise<void> => {
  if (pluginName !== payPalPlugin && !(pluginName === paymentTestPlugin && payments.hasTestPlugin))
    throw unknownPlugin(pluginName);
  const gateway = await payments.gatewayOf(context.tenantId, pluginName);
  if ('problem' in gateway) throw invalidValue(gateway.problem);
  const told = gateway.readNotification(payload);
  if (told.kind === 'Unreadable') throw killBillProblem(400, 7199, 'PaymentApiException', told.problem);
  if (told.kind === 'Nothing') return;
  const view = await paymentNamed(payments, context, told.invoiceRef);
  if (view?.pluginName !== pluginName) return;
  for (const transaction of view.transactions.filter(isOpen)) {
    if (told.kind === 'About') await lookAt(payments, context, { view, transaction });
    else if (transaction.state === 'PENDING')
      await correctTransaction(payments, context, {
        ...{ view, transaction, said: states[told.status] },
        ...{ by: 'provider' as const, retries: 'as-said' as const },
      });
  }
  await payments.runtime.caughtUp();
};

const isOpen = ({ state }: TransactionView): boolean => state === 'PENDING' || state === 'UNKNOWN';

const paymentNamed = async (
  payments: Payments,
  { tenantId }: RequestContext,
  invoiceRef: string,
): Promise<PaymentView | null> => {
  const paymentId = parseUuid(invoiceRef);
  if (paymentId === null) return null;
  return lookTwice(payments, () => paymentById(payments.runtime.database, tenantId, paymentId));
};

/** As the due look at it would, only now. */
const lookAt = (
  { executor, transactions, runtime }: Payments,
  { tenantId, correlationId }: RequestContext,
  { view, transaction }: { readonly view: PaymentView; readonly transaction: TransactionView },
): Promise<void> => {
  const { paymentId, invoiceId } = view;
  const { transactionId, transactionType } = transaction;
  const task = { tenantId, paymentId, transactionId, correlationId };
  return invoiceId !== null && transactionType === 'PURCHASE'
    ? executor.resolve({ ...task, invoiceId, dueAt: runtime.clock.now(tenantId) })
    : transactions.resolve(task);
};
