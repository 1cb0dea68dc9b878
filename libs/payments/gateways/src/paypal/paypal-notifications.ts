import type { Notification } from '../gateway-port';

/**
 * An instant payment notification (IPN): a form whose `invoice` is the INVNUM of the charge. It is not posted back to
 * PayPal to be verified, because nothing else of it is believed.
 */
export const readNotification = (payload: string): Notification => {
  const invoiceRef = new URLSearchParams(payload).get('invoice') ?? '';
  return invoiceRef === '' ? { kind: 'Nothing' } : { kind: 'About', invoiceRef };
};
