import { type AccountView, accountById } from '@billstream/accounts-read-models';
import { parseUuid } from '@billstream/kernel';
import type { Accounts } from '../accounts';
import { unknownAccount } from './problems';

/** Looks, and looks once more when the read models have caught up: what was just written is never denied. */
export const lookTwice = async <T>({ runtime }: Accounts, look: () => Promise<T | null>): Promise<T | null> => {
  const seen = await look();
  if (seen !== null) return seen;
  await runtime.caughtUp();
  return look();
};

/** The tenant's account, or Kill Bill's 404: an account of another tenant does not exist. */
export const existingAccount = async (accounts: Accounts, tenantId: string, text: string): Promise<AccountView> => {
  const accountId = parseUuid(text);
  const found =
    accountId === null
      ? null
      : await lookTwice(accounts, () => accountById(accounts.runtime.database, tenantId, accountId));
  if (found === null) throw unknownAccount(text);
  return found;
};

/** Whether a parent that a request names is an account of the tenant. No parent is as good as a known one. */
export const isKnownParent = async (accounts: Accounts, tenantId: string, parentId: string | null): Promise<boolean> =>
  parentId === null ||
  (await lookTwice(accounts, () => accountById(accounts.runtime.database, tenantId, parentId))) !== null;
