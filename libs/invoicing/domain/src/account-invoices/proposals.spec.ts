import { decimal, parseCurrency } from '@billstream/kernel';
import type { BillingTransition } from '@billstream/subscriptions-contracts';
import { account, day, phase, timeline, transition, trial } from '../testing/simulated-account';
import { billingEventsOf } from './billing-events';
import { proposedFixed } from './proposals';

const usd = parseCurrency('USD');

const fixedOf = (...transitions: readonly BillingTransition[]): readonly string[] => {
  if (usd === null) throw new RangeError('USD');
  const events = billingEventsOf(timeline(transitions), account());
  return proposedFixed(events, day('2019-12-31'), usd).map(
    ({ phase: { phaseName }, date, amountMinor }) => `${phaseName} ${date} ${amountMinor}`,
  );
};

const setUp = trial({ fixedPrice: decimal(5) });
const other = phase({ phaseName: 'other-evergreen', fixedPrice: decimal(7) });

describe('a one-time price', () => {
  it('is charged on the day its phase begins', () => {
    expect(fixedOf(transition('START', '2018-10-06', setUp), transition('CANCEL', '2018-10-07'))).toEqual([
      'standard-monthly-trial 2018-10-06 500',
    ]);
  });

  it('is that of the last phase that begins on a day', () => {
    expect(
      fixedOf(transition('START', '2018-10-06', setUp), transition('CHANGE', '2018-10-06T18:00:00Z', other)),
    ).toEqual(['other-evergreen 2018-10-06 700']);
  });

  it('is not owed for what is cancelled on its first day', () => {
    expect(fixedOf(transition('START', '2018-10-06', setUp), transition('CANCEL', '2018-10-06T18:00:00Z'))).toEqual([]);
  });

  it('is not owed again where a pause ends or a quantity changes', () => {
    expect(
      fixedOf(
        transition('START', '2018-10-06', setUp),
        transition('BILLING_DISABLED', '2018-10-08'),
        transition('BILLING_ENABLED', '2018-10-10', setUp),
        transition('QUANTITY_CHANGE', '2018-10-12', setUp, { quantity: 3 }),
      ),
    ).toEqual(['standard-monthly-trial 2018-10-06 500']);
  });
});
