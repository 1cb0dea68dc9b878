import { specificationOf } from '@billstream/event-sourcing/testing';
import { type Currency, type Instant, type LocalDate, decimal } from '@billstream/kernel';
import { type EnteredState, clearState, overduePublication, overdueSchema } from './overdue';
import {
  type OverdueCondition,
  type OverdueConfig,
  type OverdueStateDefinition,
  clearStateName,
} from './overdue-config';
import { overdueConfigErrors } from './overdue-config';
import { type EvaluateOverdue, overdueDecider } from './overdue.decider';
import type { Debt } from './overdue-state-of';

const accountId = '6f1c7f4e-6f0e-4c5e-9a80-111111111111';
const day = (text: string): LocalDate => text as LocalDate;
const noon = (date: string): Instant => `${date}T12:00:00.000Z` as Instant;

const nothingAsked: OverdueCondition = {
  unpaidInvoices: null,
  unpaidBalance: null,
  timeSinceEarliest: null,
  failedPaymentResponses: [],
  withTag: null,
  withoutTag: null,
};
const state = (name: string, condition: Partial<OverdueCondition>, more: Partial<OverdueStateDefinition> = {}) => ({
  name,
  isClear: false,
  condition: { ...nothingAsked, ...condition },
  externalMessage: null,
  blockChanges: true,
  disableEntitlement: false,
  cancellationPolicy: 'NONE' as const,
  autoReevaluationInterval: null,
  ...more,
});
const late = (days: number) => ({ timeSinceEarliest: { unit: 'DAYS' as const, number: days } });
const inDays = (number: number) => ({ unit: 'DAYS' as const, number });
const stages: OverdueConfig = {
  initialReevaluationInterval: inDays(30),
  states: [
    state('OD2', late(40), { disableEntitlement: true }),
    state('OD1', late(30), { autoReevaluationInterval: inDays(10) }),
  ],
};

const debt = (invoiceDate: string, balanceMinor = 2000, targetDate = invoiceDate): Debt => ({
  invoiceId: `invoice of ${invoiceDate}`,
  invoiceDate: day(invoiceDate),
  targetDate: day(targetDate),
  balanceMinor,
});
const look = (date: string, unpaid: readonly Debt[], config = stages): EvaluateOverdue => ({
  type: 'EvaluateOverdue',
  data: {
    accountId,
    config,
    debts: { payerAccountId: accountId, currency: 'USD' as Currency, unpaid },
    today: day(date),
    since: noon(date),
  },
});

const { given } = specificationOf(overdueDecider);
const entered = (name: string, config = stages) => {
  const found = config.states.find((one) => one.name === name) ?? state(name, {});
  const definition = Object.fromEntries(
    Object.entries(found).filter(([key]) => key !== 'condition'),
  ) as unknown as EnteredState;
  const facts = {
    payerAccountId: accountId,
    currency: 'USD' as Currency,
    unpaidInvoices: 1,
    unpaidMinor: 2000,
    earliestUnpaidDate: day('2012-05-31'),
  };
  return {
    type: 'OverdueStateEntered' as const,
    data: { accountId, state: definition, facts, at: noon('2012-06-30') },
  };
};
const checkAt = (date: string | null) => ({
  type: 'OverdueCheckScheduled' as const,
  data: { accountId, at: date === null ? null : noon(date) },
});
const tagged = (tag: 'OVERDUE_ENFORCEMENT_OFF' | 'TEST') => ({
  type: 'OverdueTagRecorded' as const,
  data: { accountId, tag, isSet: true },
});
const stateNames = (
  config: OverdueConfig,
  date: string,
  unpaid: readonly Debt[],
  ...past: ReturnType<typeof tagged>[]
) =>
  given(...past)
    .when(look(date, unpaid, config))
    .thenEvents()
    .flatMap((event) => (event.type === 'OverdueStateEntered' ? [event.data.state.name] : []));

describe('looking whether an account is overdue', () => {
  it('looks again after the initial interval as long as something is unpaid', () => {
    given()
      .when(look('2012-05-31', [debt('2012-05-31')]))
      .then(checkAt('2012-06-30'));
  });

  it('does nothing for an account that owes nothing', () => given().when(look('2012-05-31', [])).thenNothing());

  it('does not put off a look that was planned', () =>
    given(checkAt('2012-06-30'))
      .when(look('2012-06-08', [debt('2012-05-31')]))
      .thenNothing());

  it('no longer looks by itself once the look is cancelled, and plans one anew when something changes', () => {
    const cancel = { type: 'CancelOverdueCheck' as const, data: { accountId } };
    const cancelled = { type: 'OverdueCheckScheduled' as const, data: { accountId, at: null } };
    const planned = { type: 'OverdueCheckScheduled' as const, data: { accountId, at: noon('2012-06-30') } };
    given(planned).when(cancel).then(cancelled);
    given(planned, cancelled).when(cancel).thenNothing();
    given(planned, cancelled)
      .when(look('2012-05-31', [debt('2012-05-31')]))
      .then(planned);
  });
  it('enters the state whose time has come, and looks again after its interval', () => {
    given(checkAt('2012-06-30'))
      .when(look('2012-06-30', [debt('2012-05-31')]))
      .then(entered('OD1'), checkAt('2012-07-10'));
  });

  it('enters the most severe state that holds', () =>
    expect(stateNames(stages, '2012-07-10', [debt('2012-05-31')])).toEqual(['OD2']));

  it('stays where it is while nothing changes', () =>
    given(entered('OD1'), checkAt('2012-07-10'))
      .when(look('2012-07-02', [debt('2012-05-31')]))
      .thenNothing());

  it('is clear again once nothing is owed, and waits for nothing', () => {
    const events = given(entered('OD1'), checkAt('2012-07-10')).when(look('2012-07-05', [])).thenEvents();
    expect(events.map(({ type }) => type)).toEqual(['OverdueStateEntered', 'OverdueCheckScheduled']);
    expect(events[0]?.data).toMatchObject({ state: { name: clearStateName, isClear: true } });
    expect(events[1]?.data).toMatchObject({ at: null });
  });

  it('counts time from the oldest invoice that is still unpaid', () =>
    expect(stateNames(stages, '2012-07-05', [debt('2012-06-30')])).toEqual([]));

  it('leaves out invoices whose target day is still to come', () =>
    expect(stateNames(stages, '2012-07-05', [debt('2012-05-31', 2000, '2012-08-01')])).toEqual([]));

  it('takes a last look at a check without an interval and plans no other', () => {
    given(entered('OD2'), checkAt('2012-07-10'))
      .when(look('2012-07-10', [debt('2012-05-31')]))
      .then(checkAt(null));
  });
});

describe('the conditions of a state', () => {
  const only = (condition: Partial<OverdueCondition>): OverdueConfig => ({
    initialReevaluationInterval: null,
    states: [state('LATE', condition)],
  });
  it.each<[string, Partial<OverdueCondition>, readonly Debt[], boolean]>([
    ['as many unpaid invoices', { unpaidInvoices: 2 }, [debt('2012-05-01'), debt('2012-05-02')], true],
    ['fewer unpaid invoices', { unpaidInvoices: 2 }, [debt('2012-05-01')], false],
    ['as large a balance', { unpaidBalance: decimal('20.00') }, [debt('2012-05-01')], true],
    ['a smaller balance', { unpaidBalance: decimal('20.01') }, [debt('2012-05-01')], false],
    ['a response that Kill Bill assumes', { failedPaymentResponses: ['INSUFFICIENT_FUNDS'] }, [], true],
    ['another response', { failedPaymentResponses: ['EXPIRED_CARD'] }, [], false],
    ['a tag that is not there', { withTag: 'TEST' }, [], false],
    ['the absence of a tag', { withoutTag: 'TEST' }, [], true],
    ['two conditions of which one fails', { unpaidInvoices: 1, withTag: 'TEST' }, [debt('2012-05-01')], false],
  ])('ask for %s', (_, condition, unpaid, holds) =>
    expect(stateNames(only(condition), '2012-06-01', unpaid)).toEqual(holds ? ['LATE'] : []),
  );

  it('see the account\u2019s control tags', () => {
    expect(stateNames(only({ withTag: 'TEST' }), '2012-06-01', [], tagged('TEST'))).toEqual(['LATE']);
    expect(stateNames(only({ withoutTag: 'TEST' }), '2012-06-01', [], tagged('TEST'))).toEqual([]);
  });

  it('never hold where none is stated', () => {
    const config = { initialReevaluationInterval: null, states: [{ ...state('LATE', {}), condition: null }] };
    expect(stateNames(config, '2012-06-01', [debt('2012-01-01')])).toEqual([]);
  });
});

describe('the tag OVERDUE_ENFORCEMENT_OFF', () => {
  it('keeps an account clear and plans no look', () =>
    given(tagged('OVERDUE_ENFORCEMENT_OFF'))
      .when(look('2012-07-10', [debt('2012-05-31')]))
      .thenNothing());

  it('clears an account that was overdue', () => {
    const events = given(entered('OD1'), tagged('OVERDUE_ENFORCEMENT_OFF'))
      .when(look('2012-07-10', [debt('2012-05-31')]))
      .thenEvents();
    expect(events[0]?.data).toMatchObject({ state: clearState });
  });

  it('is remembered once', () => {
    const record = { type: 'RecordOverdueTag' as const, data: { accountId, tag: 'TEST' as const, isSet: true } };
    given().when(record).then(tagged('TEST'));
    given(tagged('TEST')).when(record).thenNothing();
  });
});

describe('a configuration of overdue states', () => {
  const errorsOf = (...states: OverdueStateDefinition[]) =>
    overdueConfigErrors({ initialReevaluationInterval: null, states });

  it('is as it should be', () => expect(overdueConfigErrors(stages)).toEqual([]));
  it('names every element that is wrong', () => {
    expect(errorsOf(state('', {}))).toEqual(['state[0]/name: needs 1 to 50 characters']);
    expect(errorsOf(state('A', {}), state('A', {}))).toEqual(['state/name: A stands for more than one state']);
    expect(errorsOf(state('A', late(0)))).toEqual([
      'state[0] (A)/condition/timeSinceEarliestUnpaidInvoiceEqualsOrExceeds: the number of DAYS must be a whole number from 1 to 36500, not 0',
    ]);
    expect(errorsOf(state('A', { unpaidBalance: decimal('-1') }))).toEqual([
      'state[0] (A)/condition/totalUnpaidInvoiceBalanceEqualsOrExceeds: must not be negative',
    ]);
    expect(errorsOf(state(clearStateName, {}))).toHaveLength(1);
    expect(errorsOf({ ...state('A', {}), isClear: true }, { ...state('B', {}), isClear: true })).toHaveLength(1);
  });
});

test('others hear what a state does', () => {
  const recorded = (event: ReturnType<typeof entered> | ReturnType<typeof tagged>) =>
    overduePublication({ ...overdueSchema.encode(event), stream: `overdue-${accountId}` } as Parameters<
      typeof overduePublication
    >[0]);
  expect(recorded(entered('OD2'))).toEqual([
    {
      type: 'invoicing.overdue-changed.v1',
      key: accountId,
      data: {
        accountId,
        stateName: 'OD2',
        isClear: false,
        blockChanges: true,
        disableEntitlement: true,
        cancellationPolicy: 'NONE',
      },
    },
  ]);
  expect(recorded(tagged('TEST'))).toEqual([]);
});
