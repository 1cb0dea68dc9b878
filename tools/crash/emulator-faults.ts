import type { Client } from '../day/client';
import type { Random } from './random';

/** Those without `-before` charge and then lose the answer: whoever charges again, charges twice. */
const effects = [
  'timeout',
  'error-500',
  'reset',
  'timeout-before',
  'error-500-before',
  'reset-before',
  'duplicate',
  'delay',
] as const;

/** About one charge in eight goes wrong at the provider. The number of faults planned. */
export const planProviderFaults = async (
  client: Client,
  emulatorUrl: string,
  { charges, random }: { readonly charges: number; readonly random: Random },
): Promise<number> => {
  const faults = Math.max(1, Math.floor(charges / 8));
  for (let i = 0; i < faults; i += 1) {
    const effect = random.pick(effects);
    const lasts = effect.startsWith('timeout') || effect === 'delay' ? { delayMs: random.int(300, 2_000) } : {};
    // A fault waits until the one before it has happened, so each counts its own charges to skip.
    const body = { effect, operation: 'DoReferenceTransaction', skip: random.int(0, 8), times: 1, ...lasts };
    await client.expect(201, 'POST', `${emulatorUrl}/control/faults`, { body });
  }
  return faults;
};

/** The provider's test amounts (104.45 means error 10445) would be charges that fail for ever. */
export const takeEveryAmount = async (client: Client, emulatorUrl: string): Promise<void> => {
  await client.expect(200, 'POST', `${emulatorUrl}/control/paypal/settings`, { body: { negativeTesting: false } });
};

export const endProviderFaults = async (client: Client, emulatorUrl: string): Promise<void> => {
  await client.expect(200, 'DELETE', `${emulatorUrl}/control/faults`);
};

export type LedgerEntry = {
  readonly kind: string;
  readonly status: string;
  readonly referenceId: string;
  readonly invoiceRef?: string;
  readonly amount: string;
  readonly currency: string;
};

/** The provider's own books. */
export const ledgerOf = async (client: Client, emulatorUrl: string): Promise<readonly LedgerEntry[]> =>
  (await client.expect(200, 'GET', `${emulatorUrl}/control/ledger`)).json<{ entries: readonly LedgerEntry[] }>()
    .entries;

export const violationsOf = async (client: Client, emulatorUrl: string): Promise<readonly unknown[]> =>
  (await client.expect(200, 'GET', `${emulatorUrl}/control/invariants`)).json<{ violations: readonly unknown[] }>()
    .violations;
