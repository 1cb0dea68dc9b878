import {
  type LocalDate,
  decimal,
  money,
  parseCurrency,
  parseLocalDate,
  settle,
  toDecimal,
  toNumber,
} from '@billstream/kernel';
import golden from '../golden/tree.json';
import { type BilledRecurring, type ProposedRecurring, reconcile, standing } from './reconcile';

type Item = {
  readonly ref?: string;
  readonly type: string;
  readonly startDate: string;
  readonly endDate?: string;
  readonly amount: string;
  readonly rate?: string;
  readonly linkedTo?: string;
  readonly names?: readonly string[];
};

const usd = parseCurrency('USD');
if (usd === null) throw new Error('USD');
const minor = (amount: string): number => settle(decimal(amount), usd).minor;
const day = (text: string | undefined): LocalDate => {
  const date = parseLocalDate(text ?? '');
  if (date === null) throw new RangeError(String(text));
  return date;
};

const proposal = ({
  startDate,
  endDate,
  amount,
  rate = '0',
  names = ['p', 'plan', 'phase'],
}: Item): ProposedRecurring => ({
  planName: names[1] ?? '',
  phaseName: names[2] ?? '',
  rate: decimal(rate),
  start: day(startDate),
  end: day(endDate),
  amountMinor: minor(amount),
});

const billed = (items: readonly Item[]): readonly BilledRecurring[] =>
  items
    .filter(({ type }) => type === 'RECURRING')
    .map((item) => {
      const corrections = items.filter(({ linkedTo }) => linkedTo === item.ref);
      return {
        ...proposal(item),
        itemId: item.ref ?? '',
        takenBackMinor: corrections.reduce((total, { amount }) => total - minor(amount), 0),
        repaired: corrections
          .filter(({ type }) => type === 'REPAIR_ADJ')
          .map(({ startDate, endDate }) => ({ start: day(startDate), end: day(endDate) })),
      };
    });

const shown = (type: string, start: string, end: string, amountMinor: number): string =>
  `${type} ${start}→${end} ${toNumber(toDecimal(money(amountMinor, usd)))}`;

const isRecurring = ({ type }: Item): boolean => type === 'RECURRING';

describe('repair agrees with the reference engine', () => {
  it.each(golden as readonly { id: string; source: string; existing: Item[]; proposed: Item[]; expected: Item[] }[])(
    '$id $source',
    ({ existing, proposed, expected }) => {
      const rules = { currency: usd };
      const { additions, repairs } = reconcile(billed(existing), proposed.filter(isRecurring).map(proposal), rules);
      const given =
        proposed.length === 0
          ? standing(billed(existing), rules).map(({ start, end, amountMinor }) =>
              shown('RECURRING', start, end, amountMinor),
            )
          : [
              ...additions.map(({ start, end, amountMinor }) => shown('RECURRING', start, end, amountMinor)),
              ...repairs.map(({ start, end, amountMinor, itemId }) =>
                shown(`REPAIR_ADJ ${itemId}`, start, end, amountMinor),
              ),
            ];
      const wanted = expected
        .filter(({ type }) => type !== 'FIXED')
        .map(({ type, startDate, endDate, amount, linkedTo }) =>
          shown(linkedTo === undefined ? type : `${type} ${linkedTo}`, startDate, endDate ?? '', minor(amount)),
        );
      expect([...given].sort()).toEqual([...wanted].sort());
    },
  );
});
