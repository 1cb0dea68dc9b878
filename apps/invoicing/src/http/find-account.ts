import { type InvoicedAccount, invoicedAccount } from '@billstream/invoicing-read-models';
import { parseUuid } from '@billstream/kernel';
import { setTimeout as delay } from 'node:timers/promises';
import type { Invoicing } from '../invoicing';
import { unknownAccount } from './problems';

/** Looks, and looks once more when the read models have caught up: what was just written is never denied. */
export const lookTwice = async <T>({ runtime }: Invoicing, look: () => Promise<T | null>): Promise<T | null> => {
  const seen = await look();
  if (seen !== null) return seen;
  await runtime.caughtUp();
  return look();
};

const patienceMs = 1_000;
const pauseMs = 25;

/** Looks again until it is so or the time is over; the last answer either way. */
export const lookUntil = async <T>(
  look: () => Promise<T>,
  isSo: (seen: T) => boolean,
  deadlineMs: number,
): Promise<T> => {
  let seen = await look();
  for (let waited = 0; !isSo(seen) && waited < deadlineMs; waited += pauseMs) {
    await delay(pauseMs);
    seen = await look();
  }
  return seen;
};

/**
 * The tenant's account, or Kill Bill's 404: an account of another tenant does not exist. Accounts are told by another
 * service, so one that was just created is waited for.
 */
export const existingAccount = async (
  { runtime }: Invoicing,
  tenantId: string,
  text: string,
): Promise<InvoicedAccount> => {
  const accountId = parseUuid(text);
  if (accountId === null) throw unknownAccount(text);
  const look = (): Promise<InvoicedAccount | null> => invoicedAccount(runtime.database, tenantId, accountId);
  const found = await lookUntil(look, (seen) => seen !== null, patienceMs);
  if (found === null) throw unknownAccount(text);
  return found;
};
