import type { OverdueConfig } from '@billstream/invoicing-domain';
import { decimal } from '@billstream/kernel';
import { overdueConfigFrom, overdueConfigJson } from './overdue-json';
import { readOverdueXml } from './read-overdue-xml';
import { writeOverdueXml } from './write-overdue-xml';

const config: OverdueConfig = {
  initialReevaluationInterval: { unit: 'DAYS', number: 30 },
  states: [
    {
      name: 'Blocked & gone',
      isClear: false,
      condition: {
        unpaidInvoices: 3,
        unpaidBalance: decimal('100.50'),
        timeSinceEarliest: { unit: 'MONTHS', number: 2 },
        failedPaymentResponses: ['INSUFFICIENT_FUNDS', 'DECLINE'],
        withTag: 'TEST',
        withoutTag: 'PARTNER',
      },
      externalMessage: 'Pay <now>',
      blockChanges: true,
      disableEntitlement: true,
      cancellationPolicy: 'END_OF_TERM',
      autoReevaluationInterval: { unit: 'DAYS', number: 5 },
    },
    {
      name: 'Clear',
      isClear: true,
      condition: null,
      externalMessage: null,
      blockChanges: false,
      disableEntitlement: false,
      cancellationPolicy: 'NONE',
      autoReevaluationInterval: null,
    },
  ],
};

const inStates = (content: string): string =>
  `<overdueConfig><accountOverdueStates>${content}</accountOverdueStates></overdueConfig>`;
const inState = (content: string): string => inStates(`<state name="OD1">${content}</state>`);

describe('overdue states as documents', () => {
  it('are the same after XML', () => expect(readOverdueXml(writeOverdueXml(config))).toEqual({ config }));

  it('are the same after JSON', () => expect(overdueConfigFrom(overdueConfigJson(config) as never)).toEqual(config));

  it('show Kill Bill\u2019s lone clear state where a tenant has none', () =>
    expect(overdueConfigJson({ initialReevaluationInterval: null, states: [] })).toMatchObject({
      initialReevaluationInterval: null,
      overdueStates: [{ name: '__KILLBILL__CLEAR__OVERDUE_STATE__', isClearState: true, condition: null }],
    }));

  it.each([
    ['', 'line 1: Start tag expected.'],
    ['<catalog/>', 'catalog: the root element must be overdueConfig'],
    ['<overdueConfig/>', 'accountOverdueStates: the element is missing'],
    [inStates('<stage/>'), 'accountOverdueStates/stage: there is no such element'],
    [inState('<colour/>'), 'accountOverdueStates/state[0] (OD1)/colour: there is no such element'],
    [
      inState('<condition><unpaid>1</unpaid></condition>'),
      'accountOverdueStates/state[0] (OD1)/condition/unpaid: there is no such element',
    ],
    [
      inState('<blockChanges>yes</blockChanges>'),
      'accountOverdueStates/state[0] (OD1)/blockChanges: yes is not one of true, false',
    ],
    [
      inState('<autoReevaluationInterval><unit>DAYS</unit></autoReevaluationInterval>'),
      'accountOverdueStates/state[0] (OD1)/autoReevaluationInterval: unit and number are needed',
    ],
    [
      inState(
        '<condition><numberOfUnpaidInvoicesEqualsOrExceeds>many</numberOfUnpaidInvoicesEqualsOrExceeds></condition>',
      ),
      'accountOverdueStates/state[0] (OD1)/condition/numberOfUnpaidInvoicesEqualsOrExceeds: many is not a whole number',
    ],
    [inStates('<state/>'), 'state[0]/name: needs 1 to 50 characters'],
  ])('are refused with the element that is wrong: %s', (text, error) =>
    expect(readOverdueXml(text)).toEqual({ error: expect.stringContaining(error) }),
  );
});
