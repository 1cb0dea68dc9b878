import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import type { GoldenCatalog } from './catalog-document';
import type { GoldenOverdue } from './overdue-document';

/** A decimal as text, so that its digits stay as written. */
export type Figure = string;
/** `yyyy-MM-dd` in the account's calendar, or an instant. */
export type When = string;

export type GoldenItem = {
  readonly type?: string;
  readonly startDate?: When;
  /** Null asserts that there is none; left out asserts nothing. */
  readonly endDate?: When | null;
  readonly amount?: Figure;
  readonly phaseName?: string;
  /** How the amount was worked out. Nothing to assert. */
  readonly why?: string;
};

export type ExpectedInvoice = {
  readonly n: number;
  readonly account?: string;
  readonly items: readonly GoldenItem[];
  readonly partial?: boolean;
  readonly includeVoided?: boolean;
};

export type ExpectedPayment = {
  readonly n: number;
  readonly date: string;
  readonly amount: Figure;
  readonly status: string;
  readonly currency: string;
  /** The position of the invoice that it pays. */
  readonly invoice: number;
};

/** The usage that an invoice charges; `includeVoided` counts void ones among the positions. */
export type ExpectedTrackingIds = {
  readonly n: number;
  readonly ids: readonly string[];
  readonly includeVoided?: boolean;
};

export type Scalar = string | number | boolean | null;

export type Expectation = {
  readonly invoices?: readonly ExpectedInvoice[];
  readonly dryRun?: { readonly items: readonly GoldenItem[]; readonly partial?: boolean };
  readonly payments?: readonly ExpectedPayment[];
  /** A path of the case's names, and what is found there. */
  readonly state?: Readonly<Record<string, Scalar>>;
  readonly relations?: readonly { readonly path: string; readonly equalsPath: string }[];
  readonly trackingIds?: readonly ExpectedTrackingIds[];
  readonly events?: readonly string[];
  /** The events belong to this many steps, the last of which is this one; 1 when left out. */
  readonly eventsSpan?: number;
  readonly error?: string;
  /** Being taken is as good as being refused. */
  readonly errorTolerant?: boolean;
};

export type Step = {
  readonly at: string;
  readonly action: string;
  readonly args?: Readonly<Record<string, unknown>>;
  readonly expect?: Expectation;
};

export type GoldenAccount = {
  readonly currency: string;
  readonly timeZone: string;
  readonly billCycleDayLocal: number | null;
  /** True: a default payment method of the test gateway. */
  readonly paymentMethod: boolean;
  readonly createdAt: string;
  readonly referenceTime?: string;
};

export type GoldenCase = {
  readonly id: string;
  readonly title: string;
  readonly source: string;
  readonly area: string;
  /** Remarks, among them where the case differs from the data that it came from. */
  readonly notes?: readonly string[];
  readonly catalog: string;
  readonly config?: Readonly<Record<string, unknown>>;
  readonly overdue?: GoldenOverdue;
  readonly account: GoldenAccount;
  readonly steps: readonly Step[];
};

const folder = path.resolve(__dirname, '../../golden');
const read = (file: string): unknown => JSON.parse(readFileSync(path.join(folder, file), 'utf8'));

/** `cases` are played with every change, `nightly` are more of the same that hold nothing which those do not hold. */
type CaseSet = 'cases' | 'nightly';
const caseSets: readonly CaseSet[] = ['cases', 'nightly'];

const casesOf = (set: CaseSet): readonly GoldenCase[] => {
  const files = readdirSync(path.join(folder, set)).filter((file) => file.endsWith('.json'));
  return files.sort().map((file) => read(`${set}/${file}`) as GoldenCase);
};

export const goldenCatalog = (name: string): GoldenCatalog => read(`catalogs/${name}.json`) as GoldenCatalog;

const fits = (part: string, { id, area }: GoldenCase): boolean => {
  if (part.startsWith('area:')) return area === part.slice('area:'.length);
  const [from, to = from] = part.split('-');
  return Number(id) >= Number(from) && Number(id) <= Number(to);
};

/**
 * Which cases a run is about: `all` of the gate, the `nightly` ones, or ids, ranges of ids and areas of both sets, as in
 * `029,040-060,area:cancel,nightly`. Throws when nothing fits, because a run of no case proves nothing, and when an id is
 * given to two cases.
 */
export const chosenCases = (choice: string): readonly GoldenCase[] => {
  const parts = choice.split(',');
  const known = caseSets.flatMap((set) => casesOf(set).map((golden) => ({ set, golden })));
  const ids = known.map(({ golden }) => golden.id);
  const twice = ids.filter((id, i) => ids.indexOf(id) !== i);
  if (twice.length > 0) throw new Error(`more than one golden case is called ${twice.join(', ')}`);
  const isMeant = (part: string, { set, golden }: (typeof known)[number]): boolean =>
    part === 'all' ? set === 'cases' : part === 'nightly' ? set === 'nightly' : fits(part, golden);
  const found = known.filter((one) => parts.some((part) => isMeant(part, one)));
  if (found.length === 0) throw new Error(`no golden case fits GOLDEN=${choice}`);
  return found.map(({ golden }) => golden);
};
