/** Reads what came of the day: through the API, in the provider's books, and in the deduplicated usage itself. */
import { Client as Postgres } from 'pg';
import type { Client } from '../day/client';
import { type InvoiceJson, invoicesOf } from '../day/day';
import type { LedgerEntry } from './emulator-faults';
import type { Player } from './player';
import {
  type Statement,
  balanceStatement,
  chargeStatement,
  invoiceStatement,
  itemStatement,
  paymentStatement,
  subscriptionStatement,
  usageStatement,
} from './statements';

const centsOf = (amount: number | string): number => Math.round(Number(amount) * 100);

const invoiceStatements = (invoices: readonly InvoiceJson[]): readonly Statement[] =>
  // The free month of the trial shows as items of zero; how many depends on which plans it saw.
  invoices
    .filter(({ amount, balance, items }) => amount !== 0 || balance !== 0 || items.some((item) => item.amount !== 0))
    .flatMap((invoice) => [
      invoiceStatement(invoice.invoiceDate, centsOf(invoice.amount), centsOf(invoice.balance)),
      ...invoice.items
        .filter(({ amount }) => amount !== 0)
        .map(({ itemType, usageName, planName, description, startDate, endDate, amount }) =>
          itemStatement(invoice.invoiceDate, {
            what:
              itemType === 'RECURRING'
                ? (planName ?? '')
                : itemType === 'USAGE'
                  ? (usageName ?? '')
                  : `${itemType} ${description ?? ''}`,
            from: startDate,
            to: endDate ?? '',
            cents: centsOf(amount),
          }),
        ),
    ]);

type BundleJson = {
  readonly subscriptions: readonly { readonly planName: string; readonly phaseType: string; readonly state: string }[];
};
type PaymentJson = { readonly purchasedAmount: number; readonly transactions: readonly { readonly status: string }[] };

export type Observed = {
  readonly statements: readonly Statement[];
  readonly charges: number;
  readonly unresolvedPayments: number;
};

export const observeAccount = async (
  client: Client,
  player: Player,
  ledger: readonly LedgerEntry[],
): Promise<Observed> => {
  const path = `/1.0/kb/accounts/${player.accountId}`;
  const read = async <T>(url: string): Promise<T> => (await client.expect(200, 'GET', url)).json<T>();
  const { accountBalance } = await read<{ accountBalance: number }>(`${path}?accountWithBalance=true`);
  const bundles = await read<readonly BundleJson[]>(`${path}/bundles`);
  const payments = await read<readonly PaymentJson[]>(`${path}/payments`);
  const methods = await read<readonly { externalKey: string }[]>(`${path}/paymentMethods`);
  const agreements = new Set(methods.map(({ externalKey }) => externalKey));
  const charges = ledger.filter(
    ({ kind, status, referenceId }) => kind === 'charge' && status === 'completed' && agreements.has(referenceId),
  );
  const paid = payments.filter(({ purchasedAmount }) => purchasedAmount !== 0);
  return {
    statements: [
      balanceStatement(centsOf(accountBalance)),
      ...bundles
        .flatMap(({ subscriptions }) => subscriptions)
        .map(({ planName, phaseType, state }) => subscriptionStatement(planName, phaseType, state)),
      ...invoiceStatements(await invoicesOf(client, player)),
      ...charges.map(({ amount }) => chargeStatement(centsOf(amount))),
      ...paid.map(({ purchasedAmount }) => paymentStatement(centsOf(purchasedAmount))),
    ],
    charges: charges.length,
    unresolvedPayments: payments.filter(({ transactions }) =>
      ['UNKNOWN', 'PENDING'].includes(transactions.at(-1)?.status ?? ''),
    ).length,
  };
};

export type CountedUsage = { readonly unit: string; readonly records: number; readonly thousandths: bigint };

/** What was counted, by user: the usage behind limits and invoices, not an answer about it. */
export const countedUsage = async (databaseUrl: string): Promise<ReadonlyMap<string, readonly CountedUsage[]>> => {
  const database = new Postgres(databaseUrl);
  await database.connect();
  try {
    const { rows } = await database.query<{ user_name: string; unit: string; records: string; thousandths: string }>(
      `select user_name, unit, count(*)::text as records, (sum(amount) * 1000)::bigint::text as thousandths
       from metering.usage_records join metering.usage_series using (series) group by user_name, unit`,
    );
    const byUser = new Map<string, CountedUsage[]>();
    for (const { user_name: user, unit, records, thousandths } of rows)
      byUser.set(user, [
        ...(byUser.get(user) ?? []),
        { unit, records: Number(records), thousandths: BigInt(thousandths) },
      ]);
    return byUser;
  } finally {
    await database.end();
  }
};

export const usageStatements = (counted: readonly CountedUsage[]): readonly Statement[] =>
  counted.map(({ unit, records, thousandths }) => usageStatement(unit, records, thousandths));
