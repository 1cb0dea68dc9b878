import { specificationOf } from '@billstream/event-sourcing/testing';
import { standardRetryPolicy } from '../invoice-payments/retry-policy';
import { paymentSettings, retryPolicyOf } from './payment-settings';

const { given } = specificationOf(paymentSettings);
const tenantId = 'tenant-1';
const days = 'org.killbill.payment.retry.days';
const failure = 'org.killbill.payment.failure.retry';
const record = (settings: Record<string, string>) =>
  ({ type: 'RecordPaymentSettings', data: { tenantId, settings } }) as const;
const recorded = (settings: Record<string, string>) =>
  ({ type: 'PaymentSettingsRecorded', data: { tenantId, settings } }) as const;

describe('a tenant’s payment settings', () => {
  it('are recorded without what others make of the rest, and once', () => {
    given()
      .when(record({ [days]: '1,2', 'org.killbill.invoice.maxInvoiceLimit': 'P1M' }))
      .then(recorded({ [days]: '1,2' }));
    given(recorded({ [days]: '1,2' }))
      .when(record({ [days]: '1,2' }))
      .thenNothing();
  });
  it('end when the tenant has none any more', () => {
    given(recorded({ [days]: '1,2' }))
      .when(record({}))
      .then(recorded({}));
    given().when(record({})).thenNothing();
  });
});

describe('retries', () => {
  it('are Kill Bill’s unless the tenant says otherwise', () => expect(retryPolicyOf({})).toEqual(standardRetryPolicy));
  it('come after the tenant’s own days', () =>
    expect(retryPolicyOf({ [days]: '8, 8,8,8,8' })).toEqual({
      ...standardRetryPolicy,
      declinedRetryDays: [8, 8, 8, 8, 8],
    }));
  it('do not come when there are no days', () => expect(retryPolicyOf({ [days]: '' }).declinedRetryDays).toEqual([]));
  it('of failures start with the tenant’s delay, which comes twice, and grow', () =>
    expect(
      retryPolicyOf({
        [`${failure}.start.sec`]: '60',
        [`${failure}.multiplier`]: '3',
        [`${failure}.max.attempts`]: '4',
      }).failedRetrySeconds,
    ).toEqual([60, 60, 180, 540]));
  it('of failures that say only how many keep the other figures', () =>
    expect(retryPolicyOf({ [`${failure}.max.attempts`]: '8' })).toEqual(standardRetryPolicy));
  it.each(['soon', '-1', '8,,8', '1.5', '99999', '8;8'])('are not changed by %p', (text) =>
    expect(retryPolicyOf({ [days]: text })).toEqual(standardRetryPolicy),
  );
});
