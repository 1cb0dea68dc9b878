import type { Decimal } from '@billstream/kernel';
import { isoMinorDigits } from '../wire-amount';
import { type PaymentTestBehaviour, type PaymentTestMethod, paymentTestGateway } from './payment-test-gateway';

const untold: PaymentTestBehaviour = { action: null, sleepSeconds: null, amount: null };
const told = (change: Partial<PaymentTestBehaviour>, ...methods: readonly PaymentTestMethod[]) => {
  const slept: number[] = [];
  const gateway = paymentTestGateway({
    behaviourOf: (method) =>
      Promise.resolve(methods.length === 0 || methods.includes(method) ? { ...untold, ...change } : untold),
    minorDigits: isoMinorDigits,
    now: () => new Date('2026-01-01T00:00:00.000Z'),
    sleep: (ms) => Promise.resolve(slept.push(ms)),
  });
  return { gateway, slept };
};
const money = { minor: 2_000, currency: 'USD' };
const charge = { attemptId: 'attempt-1', invoiceRef: 'payment-1', credential: 'test-1', money, description: '' };

describe('the test plugin', () => {
  it('processes everything, a repeat as the same movement', async () => {
    const { gateway } = told({});
    const first = await gateway.charge(charge);
    expect(first).toMatchObject({ kind: 'Succeeded', gatewayRef: 'test-attempt-1', money });
    expect(await gateway.charge(charge)).toEqual(first);
    const half = { minor: 1_000, currency: 'USD' };
    const refund = { refundId: 'refund-1', gatewayRef: 'test-attempt-1', amount: half };
    expect(await gateway.refund(refund)).toMatchObject({ kind: 'Succeeded', money: half });
  });
  it.each([
    ['ACTION_RETURN_PLUGIN_STATUS_ERROR', 'Declined'],
    ['ACTION_RETURN_PLUGIN_STATUS_PENDING', 'Pending'],
    ['ACTION_RETURN_PLUGIN_STATUS_CANCELED', 'NotExecuted'],
    ['ACTION_THROW_EXCEPTION', 'Unknown'],
    ['RETURN_NIL', 'Unknown'],
  ])('told %s it answers %s', async (action, kind) => {
    expect(await told({ action }).gateway.charge(charge)).toMatchObject({ kind });
  });
  it('does as it was told in the named methods only', async () => {
    const { gateway } = told({ action: 'ACTION_RETURN_PLUGIN_STATUS_ERROR' }, 'refundPayment');
    expect(await gateway.charge(charge)).toMatchObject({ kind: 'Succeeded' });
    const refund = { refundId: 'refund-1', gatewayRef: 'test-attempt-1', amount: money };
    expect(await gateway.refund(refund)).toMatchObject({ kind: 'Declined' });
  });
  it.each([
    ['USD', '10', 1_000],
    ['JPY', '10', 10],
  ])('processes as much as it was told, in %s', async (currency, amount, minor) => {
    const { gateway } = told({ amount: amount as Decimal });
    const input = { ...charge, money: { minor: 24_995, currency } };
    expect(await gateway.charge(input)).toMatchObject({ kind: 'Succeeded', money: { minor, currency } });
  });
  it('waits as long as it was told', async () => {
    const { gateway, slept } = told({ sleepSeconds: 3 });
    await gateway.charge(charge);
    expect(slept).toEqual([3_000]);
  });
  it('knows of nothing while it answers nothing, and that nothing has happened afterwards', async () => {
    const asked = { invoiceRef: 'payment-1', dispatchedAt: '2026-01-01T00:00:00.000Z' };
    expect(await told({ action: 'RETURN_NIL' }).gateway.fetchByRef(asked)).toMatchObject({ kind: 'Unknown' });
    expect(await told({}).gateway.fetchByRef(asked)).toMatchObject({ facts: [], completeness: 'final' });
  });
});
