import type { PublicEvent } from '@billstream/event-sourcing';
import {
  type ManualPayTag,
  defaultMethodOf,
  invoicePaymentsStream,
  isManualPay,
  payerAccountStream,
} from '@billstream/payments-domain';
import { type Payments, causedBy, chargedMethod } from '../payments';
import { settled } from './settled';

type Invoice = { readonly accountId: string; readonly invoiceId: string };

/** The account's stream remembers what was not charged, so that nothing has to be searched for when the tag goes. */
export const heldBack = async (payments: Payments, event: PublicEvent, data: Invoice): Promise<void> => {
  const command = { type: 'HoldBackInvoice' as const, data };
  settled(await payments.payer(payerAccountStream(data.accountId), command, causedBy(event, 'hold-back')));
};

/** With the last such tag of the account gone, what was held back because of it is charged (Kill Bill 2.15). */
export const manualPayChanged = async (
  payments: Payments,
  event: PublicEvent<string, { readonly accountId: string; readonly isSet: boolean }>,
  tag: ManualPayTag,
): Promise<void> => {
  const { accountId, isSet } = event.data;
  const command = { type: 'RecordManualPayTag' as const, data: { accountId, tag, isSet } };
  const { state } = settled(await payments.payer(payerAccountStream(accountId), command, causedBy(event, tag)));
  if (isManualPay(state)) return;
  const method = chargedMethod(defaultMethodOf(state));
  for (const invoiceId of state.heldBack) {
    const data = { method, now: payments.runtime.clock.now(event.tenantId) };
    const pay = causedBy(event, `pay ${invoiceId}`);
    settled(await payments.invoicePayments(invoicePaymentsStream(invoiceId), { type: 'PayHeldBack', data }, pay));
    const release = { type: 'ReleaseInvoice' as const, data: { accountId, invoiceId } };
    settled(await payments.payer(payerAccountStream(accountId), release, causedBy(event, `release ${invoiceId}`)));
  }
};
