import type { InvoiceItem } from '@billstream/invoicing-domain';
import type { Customer } from './billed-customer';
import { usageFaults } from './fair-usage';
import { play, startsAt } from './histories';

const facts = { time: { timeZone: 'UTC', referenceTime: startsAt }, billCycleDayLocal: 0, startsAt };

/** Forty-five days after the start the plan is changed, from so many hours ago on, to itself at the prices of a newer version. */
const changedBack = (inHours: number): Customer =>
  play({
    facts,
    widePlans: ['basic', 'basic'],
    moments: [
      {
        afterHours: 1080,
        acts: [{ kind: 'WISH', bundle: 0, wish: { kind: 'CHANGE', plan: 'basic', policy: null, inHours } }],
      },
    ],
  });

type Tampering = (item: InvoiceItem) => readonly InvoiceItem[];

/** The customer as if one of the items had been charged otherwise. */
const charged = (customer: Customer, index: number, tampered: Tampering): Customer => {
  const items = customer.charges();
  return { ...customer, charges: () => items.flatMap((item, at) => (at === index ? tampered(item) : [item])) };
};

const usageOf = (customer: Customer): readonly number[] =>
  customer
    .charges()
    .flatMap(({ type, subscriptionId, amountMinor }, index) =>
      type === 'USAGE' && subscriptionId === 'bundle-1' && amountMinor > 0 ? [index] : [],
    );

/** The first days of those charges with which nobody would find fault, had they been charged so. */
const unnoticed = (customer: Customer, tampered: Tampering): readonly (string | undefined)[] =>
  usageOf(customer)
    .filter((index) => usageFaults(charged(customer, index, tampered), 'bundle-1').length === 0)
    .map((index) => customer.charges()[index]?.startDate);

const more =
  (byMinor: number): Tampering =>
  (item) => [{ ...item, amountMinor: item.amountMinor + byMinor }];

describe('what a request that is dated back may cost', () => {
  // Seven hours ago was before the bill date, which had charged all up to itself at the price of before.
  const customer = changedBack(-7);

  it('is what was charged: each hour once, at the price that it was charged at first', () => {
    expect(customer.isDatedBack()).toBe(true);
    expect(usageFaults(customer, 'bundle-1')).toEqual([]);
    expect(usageFaults(changedBack(-24 * 20), 'bundle-1')).toEqual([]);
  });

  it('is not a cent less or more, where the charge is alone', () => {
    expect(unnoticed(customer, more(-1))).toEqual([]);
    expect(unnoticed(customer, more(1))).toEqual([]);
    expect(unnoticed(customer, (item) => [item, item])).toEqual([]);
    // What was used in the last month, of two units, may not be charged yet.
    expect(unnoticed(customer, () => [])).toEqual(['2024-05-24', '2024-05-24']);
  });

  it('is not a day less or more, where charges of two prices lie across each other', () => {
    const dayMinor = 48;
    const across = changedBack(-24 * 20);
    expect(unnoticed(across, more(-dayMinor))).toEqual([]);
    expect(unnoticed(across, (item) => [item, item])).toEqual([]);
  });
});
