import { readNotification } from './paypal-notifications';

describe('a notification of PayPal', () => {
  it.each([
    [
      'txn_type=merch_pmt&payment_status=Completed&invoice=inv-1&mc_gross=20.00',
      { kind: 'About', invoiceRef: 'inv-1' },
    ],
    ['invoice=inv%2D1&first_name=Ren%E9', { kind: 'About', invoiceRef: 'inv-1' }],
    ['txn_type=mp_cancel&mp_id=B-1', { kind: 'Nothing' }],
    ['invoice=', { kind: 'Nothing' }],
    ['', { kind: 'Nothing' }],
  ])('%s', (payload, notification) => {
    expect(readNotification(payload)).toEqual(notification);
  });
});
