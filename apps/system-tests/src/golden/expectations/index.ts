import { dayIn } from '../account-days';
import type {
  Expectation,
  ExpectedInvoice,
  ExpectedPayment,
  ExpectedTrackingIds,
  GoldenItem,
  Step,
} from '../case-file';
import { type Stage, accountOf, look } from '../stage';
import type { View } from '../view';
import { alike, itemsDiffer } from './alike';
import { type Found, found, invoiceAt, notShown } from './state';

const told = (value: Found | undefined): string => String(value ?? 'nothing');

const invoiceDiffers = async (view: View, { n, account = 'a1', ...expected }: ExpectedInvoice) => {
  const invoices = await view.invoices(account, expected.includeVoided === true ? 'with-voided' : undefined);
  const invoice = invoices[n - 1];
  const name = `${account}.invoice[${String(n)}]`;
  if (invoice === undefined) return `${name} is not there, only ${String(invoices.length)}`;
  const difference = itemsDiffer(expected.items, invoice.items ?? [], expected);
  return difference === null ? null : `${name}: ${difference}`;
};

const paymentDiffers = async (stage: Stage, view: View, expected: ExpectedPayment): Promise<string | null> => {
  const payment = (await view.payments('a1'))[expected.n - 1];
  if (payment === undefined) return `payment[${String(expected.n)}] is not there`;
  const last = payment.transactions.filter(({ transactionType }) => transactionType === 'PURCHASE').at(-1);
  const invoices = await view.invoices('a1');
  const got = {
    date: last === undefined ? null : dayIn(accountOf(stage).time, last.effectiveDate),
    amount: last?.amount ?? null,
    status: last?.status ?? null,
    currency: payment.currency,
    invoice: invoices.findIndex(({ invoiceId }) => invoiceId === payment.targetInvoiceId) + 1,
  };
  const wrong = Object.entries(got).filter(([field, value]) => !alike(expected[field as keyof typeof got], value));
  const said = wrong.map(
    ([field, value]) => `${field} ${told(value)} (not ${told(expected[field as keyof typeof got])})`,
  );
  return said.length === 0 ? null : `payment[${String(expected.n)}] has ${said.join(', ')}`;
};

type Scalars = NonNullable<Expectation['state']>;
const itemPath = /^(.+)\.items\[(\d+)\]\.(\w+)$/;

/** What is said of `invoice[1].items[2].…` is said of some item of it, the same for the same position. */
const itemsSaid = (state: Scalars): ReadonlyMap<string, readonly GoldenItem[]> => {
  const byOwner = new Map<string, Map<string, Record<string, unknown>>>();
  for (const [path, value] of Object.entries(state)) {
    const [, owner = '', position = '', field = ''] = itemPath.exec(path) ?? [];
    if (owner === '') continue;
    const items = byOwner.get(owner) ?? new Map<string, Record<string, unknown>>();
    items.set(position, { ...items.get(position), [field]: value });
    byOwner.set(owner, items);
  }
  return new Map([...byOwner].map(([owner, items]) => [owner, [...items.values()] as GoldenItem[]]));
};

const stateDiffers = async (stage: Stage, view: View, state: Scalars): Promise<readonly (string | null)[]> => {
  const differences: (string | null)[] = [];
  for (const [path, expected] of Object.entries(state)) {
    if (itemPath.test(path)) continue;
    const got = await found(stage, view, path);
    if (got !== notShown && !alike(expected, got)) differences.push(`${path} is ${told(got)}, not ${told(expected)}`);
  }
  for (const [owner, items] of itemsSaid(state)) {
    const invoice = await invoiceAt(stage, view, owner);
    const difference = itemsDiffer(items, invoice.items ?? [], { partial: true });
    differences.push(difference === null ? null : `${owner}: ${difference}`);
  }
  return differences;
};

const trackingIdsDiffer = async (view: View, { n, ids, includeVoided }: ExpectedTrackingIds) => {
  const listed = (await view.invoices('a1', includeVoided === true ? 'with-voided' : undefined))[n - 1];
  if (listed === undefined) return `invoice[${String(n)}] is not there`;
  const got = [...((await view.invoice(listed.invoiceId)).trackingIds ?? [])].sort().join(', ');
  const expected = [...ids].sort().join(', ');
  return got === expected
    ? null
    : `invoice[${String(n)}] bills the points ${got || '(none)'}, not ${expected || '(none)'}`;
};

const previewDiffers = async (stage: Stage, view: View, dryRun: NonNullable<Expectation['dryRun']>) => {
  const { items } = await invoiceAt(stage, view, 'dryRun');
  const difference = itemsDiffer(dryRun.items, items ?? [], dryRun);
  return difference === null ? null : `preview: ${difference}`;
};

type Relation = NonNullable<Expectation['relations']>[number];

const relationDiffers = async (stage: Stage, view: View, { path, equalsPath }: Relation): Promise<string | null> => {
  const one: Found = await found(stage, view, path);
  const other: Found = await found(stage, view, equalsPath);
  if (one !== notShown && other !== notShown && alike(one, other)) return null;
  return `${path} is ${told(one)}, ${equalsPath} is ${told(other)}`;
};

/** Holds everything that a step expects against what the API says now. The differences, none when all is as expected. */
export const differences = async (stage: Stage, { expect }: Step): Promise<readonly string[]> => {
  if (expect === undefined) return [];
  const { invoices = [], dryRun, payments = [], state = {}, relations = [], trackingIds = [] } = expect;
  const view = look(stage);
  const all: (string | null)[] = [];
  for (const invoice of invoices) all.push(await invoiceDiffers(view, invoice));
  if (dryRun !== undefined) all.push(await previewDiffers(stage, view, dryRun));
  all.push(...(await stateDiffers(stage, view, state)));
  for (const payment of payments) all.push(await paymentDiffers(stage, view, payment));
  for (const relation of relations) all.push(await relationDiffers(stage, view, relation));
  for (const expected of trackingIds) all.push(await trackingIdsDiffer(view, expected));
  return all.filter((one) => one !== null);
};
