import { type Currency, decimal, parseCurrency, parseLocalDate, type LocalDate, settle } from '@billstream/kernel';
import { type BilledRecurring, type ProposedRecurring, reconcile } from './reconcile';

const day = (text: string): LocalDate => {
  const date = parseLocalDate(text);
  if (date === null) throw new RangeError(text);
  return date;
};
const currency = (code: string): Currency => {
  const known = parseCurrency(code);
  if (known === null) throw new RangeError(code);
  return known;
};
const usd = currency('USD');
const range = (start: string, end: string) => ({ start: day(start), end: day(end) });

const proposal = (start: string, end: string, amount: string, of = usd): ProposedRecurring => ({
  ...range(start, end),
  planName: 'plan',
  phaseName: 'plan-evergreen',
  rate: decimal('29.95'),
  amountMinor: settle(decimal(amount), of).minor,
});
const billed = (asked: ProposedRecurring, facts: Partial<BilledRecurring> = {}): BilledRecurring => ({
  ...asked,
  itemId: 'item',
  takenBackMinor: 0,
  repaired: [],
  ...facts,
});

describe('what is repaired and added', () => {
  it('takes a second repair of an item from what the first one left, which was rounded', () => {
    const item = billed(proposal('2021-11-25', '2023-11-25', '77.77'), {
      takenBackMinor: 75,
      repaired: [range('2023-11-18', '2023-11-25')],
    });
    const kept = [proposal('2021-11-25', '2022-03-18', '12.04')];
    // Left: 723 of 730 days, 77.02. Taken of it: 610 of 723 days. Of the whole item they would be 64.99.
    expect(reconcile([item], kept, { currency: usd })).toEqual({
      additions: [],
      repairs: [{ ...range('2022-03-18', '2023-11-18'), itemId: 'item', amountMinor: -6498 }],
    });
  });

  it('repairs a stretch between two earlier repairs whole by what it stands for', () => {
    const item = billed(proposal('2018-10-01', '2018-11-01', '100.00'), {
      takenBackMinor: 6_452,
      repaired: [range('2018-10-01', '2018-10-11'), range('2018-10-22', '2018-11-01')],
    });
    expect(reconcile([item], [], { currency: usd }).repairs).toEqual([
      { ...range('2018-10-11', '2018-10-22'), itemId: 'item', amountMinor: -3548 },
    ]);
  });

  it('counts no more than the days before the cut in fixed days, and leaves the rest of the amount to those after it', () => {
    const kwd = currency('KWD');
    const item = billed(proposal('2016-09-05', '2016-10-05', '29.95', kwd));
    const asked = [
      proposal('2016-09-05', '2016-09-24', '18.968', kwd),
      proposal('2016-09-24', '2016-10-12', '17.97', kwd),
    ];
    const { additions, repairs } = reconcile([item], asked, { currency: kwd, fixedDays: 30 });
    expect(repairs).toEqual([]);
    expect(additions).toEqual([{ ...asked[1], ...range('2016-10-05', '2016-10-12'), amountMinor: 6_988 }]);
  });

  it('charges what lies before and after days that are charged already, and the two with them are the whole', () => {
    const item = billed(proposal('2018-10-11', '2018-10-21', '10.00'));
    const { additions } = reconcile([item], [proposal('2018-10-01', '2018-11-01', '31.00')], { currency: usd });
    expect(additions.map(({ start, end, amountMinor }) => [start, end, amountMinor])).toEqual([
      ['2018-10-01', '2018-10-11', 1_000],
      ['2018-10-21', '2018-11-01', 1_100],
    ]);
  });
});
