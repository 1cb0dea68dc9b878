import {
  type Decimal,
  add,
  decimal,
  larger,
  money,
  parseCurrency,
  settle,
  toDecimal,
  toNumber,
  zero,
} from '@billstream/kernel';
import type { ResolvedUsage } from '@billstream/subscriptions-contracts';
import golden from '../golden/usage.json';
import { account, at, phase, simulatedAccount, transition } from '../testing/simulated-account';
import { type Quantities, rateUsage } from './rate-usage';
import { type UsageDetailMode, usageCharges } from './usage-charges';

type Limited = { readonly unit: string; readonly max: string };
type GoldenUsage = {
  readonly name: string;
  readonly usageType: string;
  readonly tierBlockPolicy?: string;
  readonly tiers: readonly {
    readonly blocks?: readonly (Limited & { readonly size: string; readonly price: string })[];
    readonly limits?: readonly Limited[];
    readonly recurringPrice?: string;
  }[];
};
type Raw = { readonly date: string; readonly unit: string; readonly amount: string };
type Item = {
  readonly startDate: string;
  readonly endDate: string;
  readonly amount: string;
  readonly quantity?: string;
  readonly rate?: string;
};
type Entry = {
  readonly id: string;
  readonly kind: string;
  readonly usage: GoldenUsage;
  readonly quantities?: Readonly<Record<string, string>>;
  readonly rawUsage?: readonly Raw[];
  readonly existingItems?: readonly Item[];
  readonly detailMode?: string;
  readonly billCycleDay?: number;
  readonly events?: readonly (string | { readonly at: string; readonly type: string })[];
  readonly targetDate?: string;
  readonly expect: {
    readonly periods?: readonly {
      readonly start: string;
      readonly end: string;
      readonly units: Readonly<Record<string, string>>;
    }[];
    readonly amount?: string;
    readonly tierAmounts?: readonly string[];
    readonly items?: readonly Item[];
  };
};

const usd = parseCurrency('USD');
if (usd === null) throw new Error('USD');
const max = (text: string): Decimal | null => (text === '-1' ? null : decimal(text));

const resolved = ({ name, usageType, tierBlockPolicy, tiers }: GoldenUsage): ResolvedUsage => ({
  name,
  usageType: usageType as ResolvedUsage['usageType'],
  billingMode: 'IN_ARREAR',
  billingPeriod: 'MONTHLY',
  tierBlockPolicy: (tierBlockPolicy ?? 'ALL_TIERS') as ResolvedUsage['tierBlockPolicy'],
  tiers: tiers.map(({ blocks = [], limits = [], recurringPrice }) => ({
    blocks: blocks.map((block) => ({
      unit: block.unit,
      size: decimal(block.size),
      max: max(block.max),
      price: decimal(block.price),
    })),
    limits: limits.map((limit) => ({ unit: limit.unit, max: max(limit.max) })),
    recurringPrice: recurringPrice === undefined ? null : decimal(recurringPrice),
  })),
});

const entries = golden as unknown as readonly Entry[];
const ofKind = (kind: string): readonly Entry[] => entries.filter((entry) => entry.kind === kind);

describe('rating agrees with the reference engine', () => {
  it.each(ofKind('price'))('$id prices $quantities', ({ usage, quantities = {}, expect: expected }) => {
    const rated = rateUsage(
      resolved(usage),
      Object.fromEntries(Object.entries(quantities).map(([unit, amount]) => [unit, decimal(amount)])),
    );
    if (rated === 'beyond-all-tiers') throw new Error(rated);
    expect(toNumber(rated.amount)).toBe(Number(expected.amount));
    if (expected.tierAmounts)
      expect(rated.tiers.map(({ amount }) => toNumber(amount ?? zero))).toEqual(expected.tierAmounts.map(Number));
  });

  const periods = [
    ['2014-03-20', '2014-04-15'],
    ['2014-04-15', '2014-05-15'],
  ] as const;

  const collected = (raw: readonly Raw[], type: string): Quantities =>
    raw.reduce<Record<string, Decimal>>((all, { unit, amount }) => {
      const before = all[unit] ?? zero;
      return { ...all, [unit]: type === 'CAPACITY' ? larger(before, decimal(amount)) : add(before, decimal(amount)) };
    }, {});

  it.each(ofKind('bill'))(
    '$id bills what was not billed yet',
    ({ usage, rawUsage = [], existingItems = [], detailMode, expect: expected }) => {
      const items = periods.flatMap(([start, end]): readonly Item[] => {
        const existing = existingItems.filter(({ startDate }) => startDate === start);
        const charges = usageCharges(
          {
            usage: resolved(usage),
            quantities: collected(
              rawUsage.filter(({ date }) => date >= start && date < end),
              usage.usageType,
            ),
            billedMinor: existing.reduce((total, { amount }) => total + settle(decimal(amount), usd).minor, 0),
          },
          existing.length === 0,
          usd,
          { mode: detailMode as UsageDetailMode },
        );
        if (typeof charges === 'string') throw new Error(charges);
        return charges.map(({ amountMinor, rate, quantity }) => ({
          startDate: start,
          endDate: end,
          amount: toDecimal(money(amountMinor, usd)),
          ...(rate === null ? {} : { rate }),
          ...(quantity === null ? {} : { quantity }),
        }));
      });
      const shown = (item: Item): string =>
        [item.startDate, item.endDate, Number(item.amount), Number(item.rate ?? 0), Number(item.quantity ?? 0)].join(
          ' ',
        );
      const compared = items
        .filter(({ amount }) => Number(amount) > 0)
        .map((item) =>
          detailMode === 'DETAIL' && usage.usageType === 'CONSUMABLE'
            ? item
            : { startDate: item.startDate, endDate: item.endDate, amount: item.amount },
        );
      expect(compared.map(shown).sort()).toEqual((expected.items ?? []).map(shown).sort());
    },
  );

  const instantIn = (text: string): string => (text.includes('T') ? text : `${text}T00:00:00.000Z`);
  const momentOf = (event: string | { readonly at: string }): string =>
    instantIn(typeof event === 'string' ? event : event.at);

  // Which points belong to a period is metering's to say: its tests roll these up.
  it.each(ofKind('rollup'))('$id asks for the usage of each period', ({ usage, events = [], targetDate, ...entry }) => {
    const used = { ...resolved(usage), billingPeriod: 'MONTHLY' as const };
    const [begins = '', ...others] = events.map(momentOf);
    const isCancelled = events.some((event) => typeof event !== 'string' && event.type === 'CANCEL');
    const system = simulatedAccount(() => '1', begins);
    system.record(account({ billCycleDayLocal: entry.billCycleDay ?? 0, referenceTime: at(begins) }));
    system.subscribe(
      transition('START', begins, phase({ recurring: null, usages: [used] })),
      ...(isCancelled ? others.map((when) => transition('CANCEL', when, null)) : []),
    );
    system.moveTo(isCancelled ? (others.at(-1) ?? '') : instantIn(targetDate ?? ''));
    const asked = system.events.flatMap((event) => (event.type === 'UsageRequested' ? event.data.periods : []));
    const shown = (fromAt: string, toAt: string, unit: string): string =>
      [new Date(fromAt).toISOString(), new Date(toAt).toISOString(), unit].join(' ');
    expect([...new Set(asked.map(({ fromAt, toAt, unit }) => shown(fromAt, toAt, unit)))].sort()).toEqual(
      (entry.expect.periods ?? [])
        .flatMap(({ start, end, units }) =>
          Object.keys(units).map((unit) => shown(instantIn(start), instantIn(end), unit)),
        )
        .sort(),
    );
  });

  it('in every entry that was given', () => {
    const played = ['price', 'bill', 'rollup'].map((kind) => ofKind(kind).length);
    expect(played.reduce((sum, count) => sum + count)).toBe(entries.length);
    expect(entries).toHaveLength(25);
  });
});
