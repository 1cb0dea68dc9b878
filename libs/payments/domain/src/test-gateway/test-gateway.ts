import { type Decider, type Decision, accept, defineSchema } from '@billstream/event-sourcing';
import type { Decimal } from '@billstream/kernel';

/** Kill Bill's name of the plugin that moves no money and answers as it is told to. */
export const paymentTestPlugin = 'killbill-payment-test';

/** The plugin's methods that can be told how to answer; `*` is all of them. */
export const testGatewayMethods = [
  'authorizePayment',
  'capturePayment',
  'purchasePayment',
  'voidPayment',
  'creditPayment',
  'refundPayment',
] as const;
export type TestGatewayMethod = (typeof testGatewayMethods)[number];

/** Kill Bill's words for what the plugin should do instead of processing a call. */
export const testGatewayActions = [
  'ACTION_RETURN_PLUGIN_STATUS_ERROR',
  'ACTION_RETURN_PLUGIN_STATUS_PENDING',
  'ACTION_RETURN_PLUGIN_STATUS_CANCELED',
  'ACTION_THROW_EXCEPTION',
  'RETURN_NIL',
] as const;
export type TestGatewayAction = (typeof testGatewayActions)[number];

/** Null: as without the plugin's being told anything. `amount` is what is processed of whatever is asked for. */
export type TestGatewayMode = {
  readonly action: TestGatewayAction | null;
  readonly sleepSeconds: number | null;
  readonly amount: Decimal | null;
};

export type TestGatewayEvent =
  /** `methods` empty: every method. What is null stays as it was told before. */
  | {
      readonly type: 'TestGatewayConfigured';
      readonly data: TestGatewayMode & { readonly tenantId: string; readonly methods: readonly TestGatewayMethod[] };
    }
  | { readonly type: 'TestGatewayCleared'; readonly data: { readonly tenantId: string } };

export type TestGatewayCommand =
  | {
      readonly type: 'ConfigureTestGateway';
      readonly data: TestGatewayMode & { readonly tenantId: string; readonly methods: readonly TestGatewayMethod[] };
    }
  | { readonly type: 'ClearTestGateway'; readonly data: { readonly tenantId: string } }
  /** Changes nothing; its answer carries the modes that a call would meet now. */
  | { readonly type: 'Look' };

/** By method; what stands under `*` holds for methods without a mode of their own. */
export type TestGateway = Readonly<Partial<Record<TestGatewayMethod | '*', TestGatewayMode>>>;

const untold: TestGatewayMode = { action: null, sleepSeconds: null, amount: null };

const evolve = (state: TestGateway, event: TestGatewayEvent): TestGateway => {
  if (event.type === 'TestGatewayCleared') return {};
  const { methods, action, sleepSeconds, amount } = event.data;
  const told = methods.length === 0 ? (['*'] as const) : methods;
  const modes = told.map((method) => {
    const before = state[method] ?? untold;
    const mode: TestGatewayMode = {
      action: action ?? before.action,
      sleepSeconds: sleepSeconds ?? before.sleepSeconds,
      amount: amount ?? before.amount,
    };
    return [method, mode] as const;
  });
  return { ...state, ...Object.fromEntries(modes) };
};

const decide = (command: TestGatewayCommand, state: TestGateway): Decision<TestGatewayEvent, never> => {
  switch (command.type) {
    case 'Look':
      return accept();
    case 'ClearTestGateway':
      return Object.keys(state).length === 0
        ? accept()
        : accept<TestGatewayEvent>({ type: 'TestGatewayCleared', data: command.data });
    case 'ConfigureTestGateway':
      return accept<TestGatewayEvent>({ type: 'TestGatewayConfigured', data: command.data });
  }
};

/** How a tenant's test plugin answers: in the log, so that a restart in the middle of a test changes nothing. */
export const testGateway: Decider<TestGatewayCommand, TestGatewayEvent, TestGateway, never> = {
  initial: {},
  decide,
  evolve,
};

export const testGatewaySchema = defineSchema<TestGatewayEvent>({
  TestGatewayConfigured: 'testGateway.configured.v1',
  TestGatewayCleared: 'testGateway.cleared.v1',
});

export const testGatewayModeOf = (state: TestGateway, method: TestGatewayMethod): TestGatewayMode =>
  state[method] ?? state['*'] ?? untold;
