import type { Currency, Instant } from '@billstream/kernel';
import { heardNews } from './heard-news';
import { type PushNotificationState, pushNotification } from './push-notification';
import { blockingNews } from './blocking-news';
import { subscriptionNews } from './subscription-news';

const at = '2026-01-01T00:00:00.000Z' as Instant;

describe('a notification', () => {
  it('that fails is tried again after 15 and 30 minutes, 2 and 12 hours and a day, then given up', () => {
    let state: PushNotificationState = pushNotification.initial;
    const retries: (string | null)[] = [];
    while (!state.isOver) {
      const data = { notificationId: 'n', reason: 'down', at, isFinal: false };
      const decision = pushNotification.decide({ type: 'RecordFailure', data }, state);
      if ('rejected' in decision) throw new Error(decision.rejected.code);
      for (const event of decision.events) {
        if (event.type === 'NotificationFailed') retries.push(event.data.retryAt);
        state = pushNotification.evolve(state, event);
      }
    }
    expect(retries).toEqual([
      '2026-01-01T00:15:00.000Z',
      '2026-01-01T00:30:00.000Z',
      '2026-01-01T02:00:00.000Z',
      '2026-01-01T12:00:00.000Z',
      '2026-01-02T00:00:00.000Z',
      null,
    ]);
  });
  it('is over once it was delivered, or when trying again makes no sense', () => {
    const over = { isRequested: true, failures: 0, isOver: true };
    const again = pushNotification.decide({ type: 'RecordDelivery', data: { notificationId: 'n' } }, over);
    expect(again).toEqual({ rejected: { code: 'notification-is-over' } });
    const data = { notificationId: 'n', reason: 'no callback', at, isFinal: true };
    expect(pushNotification.decide({ type: 'RecordFailure', data }, { ...over, isOver: false })).toMatchObject({
      events: [{ data: { retryAt: null } }],
    });
  });
});

describe('news of a subscription', () => {
  const ids = { accountId: 'a', bundleId: 'b', bundleExternalKey: 'blue', subscriptionId: 's' };
  const start = { kind: 'START' as const, effectiveAt: at };
  const cancel = { kind: 'CANCEL' as const, effectiveAt: '2026-02-01T00:00:00.000Z' as Instant };
  const newsOf = (
    before: Parameters<typeof subscriptionNews.decide>[1],
    transitions: readonly (typeof start | typeof cancel)[],
  ) => {
    const decision = subscriptionNews.decide(
      { type: 'RecordTimeline', data: { ...ids, transitions, now: at } },
      before,
    );
    return 'events' in decision
      ? decision.events.flatMap(({ data }) => data.news.map(({ eventType }) => eventType))
      : [];
  };
  it('are what its timeline did not have before, and a cancellation that is gone', () => {
    expect(newsOf(null, [start])).toEqual(['SUBSCRIPTION_CREATION', 'ENTITLEMENT_CREATION']);
    expect(newsOf([start], [start])).toEqual([]);
    expect(newsOf([start], [start, cancel])).toEqual(['SUBSCRIPTION_CANCEL', 'ENTITLEMENT_CANCEL']);
    expect(newsOf([start, cancel], [start])).toEqual(['SUBSCRIPTION_UNCANCEL']);
  });
  it('are told again when they come about, as phases and expiry are, unless they are taken back before', () => {
    const phase = { kind: 'PHASE' as const, effectiveAt: '2026-01-31T00:00:00.000Z' as Instant };
    const record = (before: readonly object[], transitions: readonly object[], now = at) => {
      const data = { ...ids, transitions: transitions as never, now };
      const decision = subscriptionNews.decide({ type: 'RecordTimeline', data }, before as never);
      return 'events' in decision ? decision.events[0]?.data : undefined;
    };
    const planned = record([start], [start, phase, cancel]);
    expect(planned?.planned?.map(({ effectiveAt, body }) => [effectiveAt, body.eventType])).toEqual([
      [phase.effectiveAt, 'SUBSCRIPTION_PHASE'],
      [cancel.effectiveAt, 'SUBSCRIPTION_CANCEL'],
      [cancel.effectiveAt, 'ENTITLEMENT_CANCEL'],
    ]);
    const metaDataOf = ({ metaData }: { readonly metaData: string | null }) => JSON.parse(metaData ?? '{}') as object;
    const requested = { actionType: 'REQUESTED', bundleExternalKey: 'blue' };
    expect(planned?.news.map(metaDataOf)).toEqual([requested, requested]);
    expect(planned?.planned?.map(({ body }) => metaDataOf(body))[0]).toEqual({ ...requested, actionType: 'EFFECTIVE' });
    expect(planned).not.toHaveProperty('bundleExternalKey');
    const withdrawn = record([start, phase, cancel], [start, phase]);
    const ofCancel = planned?.planned?.slice(1).map(({ notificationId }) => notificationId);
    expect([withdrawn?.withdrawn, withdrawn?.planned]).toEqual([ofCancel, []]);
    // What has come about is not taken back.
    expect(record([start, phase], [start], cancel.effectiveAt)?.withdrawn).toEqual([]);
  });
});

describe('news of what is blocked', () => {
  const state = {
    ...{ accountId: 'a', bundleId: 'b', blockingId: '1', type: 'SUBSCRIPTION_BUNDLE' as const, blockedId: 'b' },
    ...{ service: 'entitlement-service', stateName: 'ENT_BLOCKED', blockEntitlement: true, blockBilling: true },
    effectiveAt: at,
  };
  const record = (data: typeof state, known: readonly (typeof state)[] = [], now = at) => {
    const decision = blockingNews.decide({ type: 'RecordBlockingState', data: { ...data, now } }, known);
    return 'events' in decision ? decision.events.map((event) => event.data) : [];
  };
  it('are told once, at once or when they take effect', () => {
    const [now] = record(state);
    expect([now?.news, now?.planned]).toMatchObject([[{ eventType: 'BUNDLE_PAUSE', objectType: 'BUNDLE' }], []]);
    const [later] = record({ ...state, effectiveAt: '2026-02-01T00:00:00.000Z' as Instant });
    expect([later?.news, later?.planned.map(({ effectiveAt }) => effectiveAt)]).toEqual([
      [],
      ['2026-02-01T00:00:00.000Z'],
    ]);
    expect(record(state, [state])).toEqual([]);
  });
  it('say what changes for the object, whoever else blocks it', () => {
    const lifted = {
      ...state,
      blockingId: '2',
      service: 'fraud',
      stateName: 'FINE',
      blockEntitlement: false,
      blockBilling: false,
    };
    const changesOf = (known: readonly (typeof state)[]) =>
      JSON.parse(record(lifted, known)[0]?.news[0]?.metaData ?? '{}') as object;
    const suspect = { ...state, service: 'fraud', stateName: 'SUSPECT' };
    expect(changesOf([suspect])).toMatchObject({ transitionedToUnblockedBilling: true });
    expect(changesOf([suspect, { ...state, blockedId: 'a', blockingId: '3' }])).toMatchObject({
      transitionedToUnblockedBilling: false,
    });
    expect(changesOf([suspect, { ...state, blockedId: 'another', blockingId: '3' }])).toMatchObject({
      transitionedToUnblockedBilling: true,
    });
  });
});

describe('news of others', () => {
  const ids = { accountId: 'a', paymentId: 'p', transactionId: 't' };
  const usd = { amountMinor: 24_995, currency: 'USD' as Currency };
  const purchase = {
    ...ids,
    transactionType: 'PURCHASE' as const,
    status: 'SUCCESS' as const,
    effectiveAt: at,
    ...usd,
  };
  const withMetaData = (event: Parameters<typeof heardNews>[0]) =>
    heardNews(event).map(({ metaData, ...body }) => ({ ...body, metaData: JSON.parse(metaData ?? 'null') as object }));

  it('tell a payment that nobody was invoiced for', () => {
    expect(withMetaData({ type: 'payments.payment-changed.v1', data: purchase })).toEqual([
      {
        ...{ eventType: 'PAYMENT_SUCCESS', accountId: 'a', objectType: 'PAYMENT', objectId: 'p' },
        metaData: {
          ...{ paymentTransactionId: 't', amount: 249.95, currency: 'USD', status: 'SUCCESS' },
          ...{ transactionType: 'PURCHASE', effectiveDate: at },
        },
      },
    ]);
    const older = { ...ids, transactionType: 'PURCHASE' as const, status: 'SUCCESS' as const, effectiveAt: at };
    expect(withMetaData({ type: 'payments.payment-changed.v1', data: older })).toMatchObject([
      { metaData: { amount: null, currency: null } },
    ]);
  });

  const ofInvoice = (changes: object) =>
    withMetaData({ type: 'payments.invoice-payment-changed.v1', data: { ...purchase, invoiceId: 'i', ...changes } });

  it('tell a payment that succeeded for the invoice and for the payment, and an open one not at all', () => {
    expect(ofInvoice({})).toMatchObject([
      {
        ...{ eventType: 'INVOICE_PAYMENT_SUCCESS', objectType: 'INVOICE', objectId: 'i' },
        metaData: {
          ...{ paymentId: 'p', paymentAttemptId: 't', invoicePaymentType: 'ATTEMPT', paymentDate: at, amount: 249.95 },
          ...{ currency: 'USD', linkedInvoicePaymentId: null, processedCurrency: 'USD' },
        },
      },
      { eventType: 'PAYMENT_SUCCESS', objectType: 'PAYMENT', objectId: 'p' },
    ]);
    expect(ofInvoice({ status: 'UNKNOWN' })).toEqual([]);
  });
  it('tell a purchase that failed with nothing paid', () => {
    expect(ofInvoice({ status: 'PLUGIN_FAILURE' })).toMatchObject([
      { eventType: 'INVOICE_PAYMENT_FAILED', metaData: { amount: 0 } },
      { eventType: 'PAYMENT_FAILED', metaData: { amount: 0, status: 'PLUGIN_FAILURE' } },
    ]);
  });
  it('tell what was given back for the invoice too, less than nothing, and a refund that failed for its payment alone', () => {
    const back = { amount: -249.95, linkedInvoicePaymentId: 'p' };
    expect(ofInvoice({ transactionType: 'REFUND' })).toMatchObject([
      { eventType: 'INVOICE_PAYMENT_SUCCESS', metaData: { ...back, invoicePaymentType: 'REFUND' } },
      { eventType: 'PAYMENT_SUCCESS', metaData: { amount: 249.95 } },
    ]);
    expect(ofInvoice({ transactionType: 'CHARGEBACK', status: 'PAYMENT_FAILURE' })).toMatchObject([
      { eventType: 'INVOICE_PAYMENT_FAILED', metaData: { ...back, invoicePaymentType: 'CHARGED_BACK' } },
      { eventType: 'PAYMENT_FAILED' },
    ]);
    expect(ofInvoice({ transactionType: 'REFUND', status: 'PAYMENT_FAILURE' })).toMatchObject([
      { eventType: 'PAYMENT_FAILED' },
    ]);
    expect(ofInvoice({ transactionType: 'VOID' })).toMatchObject([{ eventType: 'PAYMENT_SUCCESS' }]);
  });
});
