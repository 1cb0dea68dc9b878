import type { InvoiceJson, ItemJson } from '../answers';
import { type Stage, invoiceNamed, subscriptionOf } from '../stage';

/** How a case names an item: by invoice and position, by type, by what it bills, or all that can be adjusted. */
export type ItemChoice = string | { readonly invoice?: string; readonly type?: string; readonly subscription?: string };

export type Picked = { readonly invoice: InvoiceJson; readonly items: readonly ItemJson[] };

/** Credits, repairs and adjustments themselves cannot be adjusted. */
const charges = new Set(['EXTERNAL_CHARGE', 'FIXED', 'RECURRING', 'TAX', 'USAGE', 'PARENT_SUMMARY']);

/** The order of items is nobody's promise: a position counts among the charges, and not at all when there is one. */
const atPosition = (items: readonly ItemJson[], position: number): readonly ItemJson[] =>
  items.length === 1 ? items : items.slice(position - 1, position);

const fitting = (stage: Stage, { items }: InvoiceJson, item: ItemChoice | undefined, position: number) => {
  const all = items ?? [];
  const adjustable = all.filter(({ itemType }) => charges.has(itemType));
  if (item === 'ALL') return adjustable;
  if (!Number.isNaN(position)) return atPosition(adjustable, position);
  if (typeof item === 'string') return all.filter(({ itemType }) => itemType === item).slice(0, 1);
  const { type, subscription } = item ?? {};
  const id = subscription === undefined ? undefined : subscriptionOf(stage, subscription).subscriptionId;
  const fits = ({ itemType, subscriptionId }: ItemJson): boolean =>
    (type === undefined || itemType === type) && (id === undefined || subscriptionId === id);
  return all.filter(fits).slice(0, 1);
};

export type PickedArgs = {
  readonly item?: ItemChoice;
  readonly itemIndex?: number;
  readonly invoice?: string;
  readonly account?: string;
};

export const pick = async (stage: Stage, { item, itemIndex, invoice: given, account }: PickedArgs): Promise<Picked> => {
  const path = typeof item === 'string' ? /^(.+)\.items\[(\d+)\]$/.exec(item) : null;
  const ofItem = typeof item === 'object' ? item.invoice : path?.[1];
  const invoice = await invoiceNamed(stage, ofItem ?? given ?? '', account);
  const items = fitting(stage, invoice, item, Number(path?.[2] ?? itemIndex));
  if (items.length === 0) throw new Error(`no item ${JSON.stringify(item ?? itemIndex)} on ${ofItem ?? given ?? '?'}`);
  return { invoice, items };
};
