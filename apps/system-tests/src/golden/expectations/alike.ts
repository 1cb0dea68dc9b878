import type { ItemJson } from '../answers';
import type { GoldenItem, Scalar } from '../case-file';

const isFigure = (value: unknown): value is string | number =>
  typeof value === 'number' || (typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value));

/** Figures as numbers (`249.9500` is 249.95), what is missing as null, anything else as text. */
export const alike = (expected: Scalar | undefined, got: Scalar | undefined): boolean =>
  isFigure(expected) && isFigure(got)
    ? Number(expected) === Number(got)
    : String(expected ?? null) === String(got ?? null);

const fields = ['startDate', 'endDate', 'amount', 'phaseName'] as const;

/** Whether an item meets what is said of it; what is not said may be anything. */
export const meets = (said: GoldenItem, item: ItemJson): boolean =>
  (said.type === undefined || said.type === item.itemType) &&
  fields.every((field) => said[field] === undefined || alike(said[field], item[field]));

/**
 * An item of its own for each thing said, where there is a way to do so: the positions of those that go without one. What
 * is said may fit several items, so whoever comes later may send an earlier one on to another.
 */
export const unmet = (
  said: readonly GoldenItem[],
  items: readonly ItemJson[],
): { readonly missing: readonly GoldenItem[]; readonly left: readonly ItemJson[] } => {
  const holder = new Map<number, number>();
  const place = (one: number, asked: Set<number>): boolean =>
    items.some((item, i) => {
      const expected = said[one];
      if (expected === undefined || asked.has(i) || !meets(expected, item)) return false;
      asked.add(i);
      const before = holder.get(i);
      if (before !== undefined && !place(before, asked)) return false;
      holder.set(i, one);
      return true;
    });
  const missing = said.filter((_, one) => !place(one, new Set()));
  return { missing, left: items.filter((_, i) => !holder.has(i)) };
};

const line = (type: string | undefined, from?: Scalar, to?: Scalar, amount?: Scalar): string =>
  `${type ?? '(any)'} ${String(from ?? '-')}..${String(to ?? '-')} ${String(amount ?? '(any)')}`;
const saidLine = (item: GoldenItem): string =>
  line(item.type, item.startDate, item.endDate, item.amount) +
  (item.phaseName === undefined ? '' : ` in ${item.phaseName}`) +
  (item.why === undefined ? '' : `   (${item.why})`);
const itemLine = (item: ItemJson): string =>
  `${line(item.itemType, item.startDate, item.endDate, item.amount)} in ${item.phaseName ?? '-'}`;

/** Null when the items are as said, all of them unless `partial`; else what is missing and what is left over. */
export const itemsDiffer = (
  said: readonly GoldenItem[],
  items: readonly ItemJson[],
  { partial = false }: { readonly partial?: boolean } = {},
): string | null => {
  const { missing, left } = unmet(said, items);
  if (missing.length === 0 && (partial || left.length === 0)) return null;
  const rows = [...missing.map((one) => `- ${saidLine(one)}`), ...left.map((one) => `+ ${itemLine(one)}`)];
  return `items differ (- expected, + got):\n    ${rows.join('\n    ')}`;
};
