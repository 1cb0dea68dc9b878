/**
 * What is so about an account, as sentences: the oracle writes what must be so, the observer what is, and the judge
 * compares them as bags of text. Whatever differs can be read as it stands.
 */
import type { ExpectedInvoice, ExpectedLimit } from './oracle';
import type { PlanName, UnitName } from './script';

export type Statement = string;

const dollars = (cents: number): string =>
  `${cents < 0 ? '-' : ''}${String(Math.floor(Math.abs(cents) / 100))}.${String(Math.abs(cents) % 100).padStart(2, '0')}`;

export const invoiceStatement = (date: string, cents: number, balanceCents: number): Statement =>
  `invoice of ${date} over ${dollars(cents)}, ${dollars(balanceCents)} open`;
export const itemStatement = (
  date: string,
  {
    what,
    from,
    to,
    cents,
  }: { readonly what: string; readonly from: string; readonly to: string; readonly cents: number },
): Statement => `invoice of ${date}: ${what} from ${from} to ${to}: ${dollars(cents)}`;
export const chargeStatement = (cents: number): Statement => `charged by the provider: ${dollars(cents)}`;
export const paymentStatement = (cents: number): Statement => `payment of ${dollars(cents)}`;
export const balanceStatement = (cents: number): Statement => `balance ${dollars(cents)}`;
export const subscriptionStatement = (plan: string, phase: string, state: string): Statement =>
  `subscription ${plan} ${phase} ${state}`;
export const usageStatement = (unit: string, records: number, thousandths: bigint): Statement =>
  `usage of ${unit}: ${String(records)} records, sum ${String(thousandths)}/1000`;
export const limitStatement = (when: string, { unit, currentThousandths, limited }: ExpectedLimit): Statement =>
  `on ${when} ${unit}: ${String(currentThousandths)}/1000 used, ${limited ? 'limited' : 'not limited'}`;

export const totalOf = ({ items }: ExpectedInvoice): number => items.reduce((sum, { cents }) => sum + cents, 0);

export type ExpectedAccount = {
  readonly plan: PlanName;
  readonly invoices: readonly ExpectedInvoice[];
  readonly usage: readonly { readonly unit: UnitName; readonly records: number; readonly thousandths: bigint }[];
};

/** Everything is billed, paid once, and nothing is open. */
export const expectedStatements = ({ plan, invoices, usage }: ExpectedAccount): readonly Statement[] => [
  balanceStatement(0),
  subscriptionStatement(plan, 'EVERGREEN', 'ACTIVE'),
  ...invoices.flatMap((invoice) => [
    invoiceStatement(invoice.date, totalOf(invoice), 0),
    ...invoice.items.map((item) => itemStatement(invoice.date, item)),
    chargeStatement(totalOf(invoice)),
    paymentStatement(totalOf(invoice)),
  ]),
  ...usage.map(({ unit, records, thousandths }) => usageStatement(unit, records, thousandths)),
];

export type Difference = {
  readonly account: string;
  readonly missing: readonly Statement[];
  readonly unexpected: readonly Statement[];
};

/** What one side has more often than the other. */
const without = (from: readonly Statement[], taken: readonly Statement[]): readonly Statement[] => {
  const left = new Map<Statement, number>();
  for (const one of taken) left.set(one, (left.get(one) ?? 0) + 1);
  return from.filter((one) => {
    const count = left.get(one) ?? 0;
    if (count > 0) left.set(one, count - 1);
    return count === 0;
  });
};

export const differenceOf = (
  account: string,
  expected: readonly Statement[],
  got: readonly Statement[],
): Difference | null => {
  const missing = without(expected, got);
  const unexpected = without(got, expected);
  return missing.length + unexpected.length === 0 ? null : { account, missing, unexpected };
};
