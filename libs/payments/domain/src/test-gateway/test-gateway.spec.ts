import { specificationOf } from '@billstream/event-sourcing/testing';
import type { Decimal } from '@billstream/kernel';
import { type TestGatewayEvent, testGateway, testGatewayModeOf } from './test-gateway';

const { given } = specificationOf(testGateway);
const tenantId = 'tenant-1';
const untold = { action: null, sleepSeconds: null, amount: null } as const;
const failing = { tenantId, ...untold, action: 'ACTION_RETURN_PLUGIN_STATUS_ERROR' } as const;
const configured = (data: Partial<Extract<TestGatewayEvent, { type: 'TestGatewayConfigured' }>['data']>) =>
  ({ type: 'TestGatewayConfigured', data: { tenantId, ...untold, methods: [], ...data } }) as const;
const modeAfter = (...events: readonly TestGatewayEvent[]) =>
  testGatewayModeOf(events.reduce(testGateway.evolve, testGateway.initial), 'purchasePayment');

describe('the test plugin', () => {
  it('keeps what it was told, and forgets it when cleared', () => {
    const data = { ...failing, methods: ['purchasePayment'] as const };
    given().when({ type: 'ConfigureTestGateway', data }).then({ type: 'TestGatewayConfigured', data });
    given(configured(failing))
      .when({ type: 'ClearTestGateway', data: { tenantId } })
      .then({ type: 'TestGatewayCleared', data: { tenantId } });
    given().when({ type: 'ClearTestGateway', data: { tenantId } }).thenNothing();
  });
  it('processes what nobody told it about', () => {
    expect(modeAfter()).toEqual(untold);
    expect(modeAfter(configured({ action: 'RETURN_NIL', methods: ['refundPayment'] }))).toEqual(untold);
    expect(modeAfter(configured(failing), { type: 'TestGatewayCleared', data: { tenantId } })).toEqual(untold);
  });
  it('prefers what was said of a method to what was said of all', () => {
    const all = configured({ action: 'RETURN_NIL' });
    expect(modeAfter(all).action).toBe('RETURN_NIL');
    expect(modeAfter(all, configured({ ...failing, methods: ['purchasePayment'] })).action).toBe(failing.action);
  });
  it('adds an amount or a delay to what it does already', () => {
    const amount = '10' as Decimal;
    expect(modeAfter(configured({ sleepSeconds: 2 }), configured({ amount }))).toEqual({
      ...{ action: null, sleepSeconds: 2, amount },
    });
  });
});
