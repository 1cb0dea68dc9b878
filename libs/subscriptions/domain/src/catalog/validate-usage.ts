import { compare, zero } from '@billstream/kernel';
import type { CatalogTier, CatalogUsage } from './catalog';
import { type CatalogError, type Known, catalogError, priceErrors } from './catalog-error';

const unitErrors = ({ blocks, limits }: CatalogTier, { units }: Known, pointer: string): readonly CatalogError[] =>
  (
    [
      ['blocks', blocks],
      ['limits', limits],
    ] as const
  ).flatMap(([kind, parts]) =>
    parts.flatMap(({ unit }, index) =>
      units.has(unit)
        ? []
        : [catalogError(`${pointer}/${kind}/${index}/unit`, `unit ${unit} is not among the catalog's units`)],
    ),
  );

const blockErrors = ({ blocks }: CatalogTier, known: Known, pointer: string): readonly CatalogError[] =>
  blocks.flatMap(({ size, prices }, index) => [
    ...(compare(size, zero) <= 0 ? [catalogError(`${pointer}/blocks/${index}/size`, 'a block holds more than 0')] : []),
    ...priceErrors(prices, known, `${pointer}/blocks/${index}/prices`),
  ]);

/** A consumable tier prices every unit of its section, a capacity tier has limits and one price. */
const kindErrors = (usage: CatalogUsage, tier: CatalogTier, pointer: string): readonly CatalogError[] => {
  if (usage.usageType === 'CAPACITY')
    return tier.recurringPrice === null && tier.fixedPrice === null
      ? [catalogError(pointer, 'a CAPACITY tier needs a price')]
      : [];
  const units = new Set(usage.tiers.flatMap(({ blocks }) => blocks.map(({ unit }) => unit)));
  const missing = [...units].filter((unit) => !tier.blocks.some((block) => block.unit === unit));
  return [
    ...missing.map((unit) => catalogError(`${pointer}/blocks`, `there is no block for unit ${unit}`)),
    ...(tier.blocks.length === 0 ? [catalogError(`${pointer}/blocks`, 'a CONSUMABLE tier needs a block')] : []),
  ];
};

const tierErrors = (usage: CatalogUsage, tier: CatalogTier, known: Known, pointer: string): readonly CatalogError[] => [
  ...unitErrors(tier, known, pointer),
  ...blockErrors(tier, known, pointer),
  ...kindErrors(usage, tier, pointer),
  ...(tier.recurringPrice === null ? [] : priceErrors(tier.recurringPrice, known, `${pointer}/recurringPrice`)),
  ...(tier.fixedPrice === null ? [] : priceErrors(tier.fixedPrice, known, `${pointer}/fixedPrice`)),
];

export const usageErrors = (usage: CatalogUsage, known: Known, pointer: string): readonly CatalogError[] => [
  ...(usage.tiers.length === 0 && usage.untiered === undefined
    ? [catalogError(`${pointer}/tiers`, 'there is no tier')]
    : []),
  ...(usage.untiered !== undefined && usage.billingMode === 'IN_ARREAR'
    ? [catalogError(`${pointer}/untiered`, 'a section that is billed IN_ARREAR has tiers')]
    : []),
  ...(usage.untiered === undefined
    ? []
    : [
        ...unitErrors(usage.untiered, known, `${pointer}/untiered`),
        ...blockErrors(usage.untiered, known, `${pointer}/untiered`),
      ]),
  ...usage.tiers.flatMap((tier, index) => tierErrors(usage, tier, known, `${pointer}/tiers/${index}`)),
];
