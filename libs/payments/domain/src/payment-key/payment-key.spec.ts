import { specificationOf } from '@billstream/event-sourcing/testing';
import { paymentKey } from './payment-key';

const { given } = specificationOf(paymentKey);
const claim = (paymentId: string) => ({ type: 'ClaimPaymentKey', data: { key: 'order-1', paymentId } }) as const;
const claimed = { type: 'PaymentKeyClaimed', data: { key: 'order-1', paymentId: 'payment-1' } } as const;

describe('the external key of a payment', () => {
  it('belongs to the payment that claims it first', () => {
    given().when(claim('payment-1')).then(claimed);
    given(claimed).when(claim('payment-1')).thenNothing();
  });
  it('is nobody else’s afterwards', () =>
    given(claimed).when(claim('payment-2')).thenRejected({ code: 'key-held', paymentId: 'payment-1' }));
});
