/** Holds what came of the day against what must have come of it. */
import type { Client } from '../day/client';
import { type LedgerEntry, ledgerOf, violationsOf } from './emulator-faults';
import { usageDays } from './calendar';
import { countedUsage, observeAccount, usageStatements } from './observer';
import { distinct, expectedInvoices } from './oracle';
import { type Player, inLanes } from './player';
import { proofsOf } from './proofs';
import type { CrashReport } from './report';
import type { Script, ScriptedAccount, ScriptedRecord, UnitName } from './script';
import { type Difference, type Statement, differenceOf, expectedStatements } from './statements';
import type { SystemUnderTest } from './system';

export type Played = {
  readonly script: Script;
  readonly players: readonly Player[];
  readonly months: number;
  /** What limits said on usage days and did not have to say. */
  readonly limitDifferences: readonly Difference[];
  /** What clients were answered and should not have been. */
  readonly complaints: readonly string[];
};

const recordsOf = (script: Script, account: ScriptedAccount, month: number): readonly ScriptedRecord[] =>
  usageDays.flatMap((_, dayIndex) => script.usage(account, month, dayIndex).flatMap(({ records }) => records));

type Usage = { readonly unit: UnitName; readonly records: number; readonly thousandths: bigint };

const usageOf = (records: readonly ScriptedRecord[]): readonly Usage[] =>
  (['host', 'analytics'] as const).flatMap((unit): readonly Usage[] => {
    const own = distinct(records).filter((record) => record.unit === unit);
    return own.length === 0
      ? []
      : [
          {
            unit,
            records: own.length,
            thousandths: own.reduce((sum, { thousandths }) => sum + BigInt(thousandths), 0n),
          },
        ];
  });

type Expected = {
  readonly statements: readonly Statement[];
  readonly usage: readonly Usage[];
  readonly charges: number;
};

const expectedOf = ({ script, months }: Played, account: ScriptedAccount): Expected => {
  const usage = usageOf(Array.from({ length: months }, (_, month) => recordsOf(script, account, month)).flat());
  const invoices = expectedInvoices(account, {
    months,
    rules: script.rules,
    usageOf: (month) => recordsOf(script, account, month),
  });
  return { statements: expectedStatements({ plan: account.plan, invoices, usage }), usage, charges: invoices.length };
};

const repeatedCharges = (ledger: readonly LedgerEntry[]): readonly string[] => {
  const byInvoice = new Map<string, number>();
  for (const { kind, status, invoiceRef } of ledger)
    if (kind === 'charge' && status === 'completed')
      byInvoice.set(invoiceRef ?? 'none', (byInvoice.get(invoiceRef ?? 'none') ?? 0) + 1);
  return [...byInvoice]
    .filter(([, count]) => count > 1)
    .map(([invoice, count]) => `invoice ${invoice} was charged ${String(count)} times`);
};

type Judgement = Pick<
  CrashReport,
  'events' | 'usage' | 'charges' | 'unresolvedPayments' | 'readModelDifferences' | 'differences' | 'complaints'
>;

const above = (a: number, b: number): number => Math.max(0, a - b);

export const judge = async (system: SystemUnderTest, client: Client, played: Played): Promise<Judgement> => {
  const addresses = await system.addresses();
  const { emulatorUrl } = system.target;
  const ledger = await ledgerOf(client, emulatorUrl);
  const counted = await countedUsage(addresses.databaseUrl);
  const judged = await inLanes(4, played.players, async (player) => {
    const expected = expectedOf(played, player.scripted);
    const observed = await observeAccount(client, player, ledger);
    const usage = counted.get(player.externalKey) ?? [];
    const difference = differenceOf(player.externalKey, expected.statements, [
      ...observed.statements,
      ...usageStatements(usage),
    ]);
    const recordsGot = (unit: string): number => usage.find((one) => one.unit === unit)?.records ?? 0;
    return {
      difference,
      lost: expected.usage.reduce((sum, { unit, records }) => sum + above(records, recordsGot(unit)), 0),
      doubled: expected.usage.reduce((sum, { unit, records }) => sum + above(recordsGot(unit), records), 0),
      accepted: expected.usage.reduce((sum, { records }) => sum + records, 0),
      sent: Array.from(
        { length: played.months },
        (_, month) => recordsOf(played.script, player.scripted, month).length,
      ).reduce((a, b) => a + b, 0),
      chargesMissing: above(expected.charges, observed.charges),
      chargesDoubled: above(observed.charges, expected.charges),
      charges: observed.charges,
      unresolved: observed.unresolvedPayments,
    };
  });
  const total = (of: (one: (typeof judged)[number]) => number): number => judged.reduce((sum, one) => sum + of(one), 0);
  const charges = ledger.filter(({ kind, status }) => kind === 'charge' && status === 'completed').length;
  const ofNobody = charges - total((one) => one.charges);
  const proofs = await proofsOf(addresses);
  const violations = await violationsOf(client, emulatorUrl);
  return {
    events: proofs.events,
    usage: {
      sent: total((one) => one.sent),
      accepted: total((one) => one.accepted),
      lost: total((one) => one.lost),
      doubled: total((one) => one.doubled),
    },
    charges: {
      made: charges,
      missing: total((one) => one.chargesMissing),
      doubled: total((one) => one.chargesDoubled),
    },
    unresolvedPayments: total((one) => one.unresolved),
    readModelDifferences: proofs.readModelDifferences,
    differences: [...judged.flatMap(({ difference }) => difference ?? []), ...played.limitDifferences],
    complaints: [
      ...played.complaints,
      ...repeatedCharges(ledger),
      ...(ofNobody === 0 ? [] : [`${String(ofNobody)} charges belong to no account of the run`]),
      ...violations.map((violation) => `the provider's books: ${JSON.stringify(violation)}`),
      ...proofs.complaints,
    ],
  };
};
