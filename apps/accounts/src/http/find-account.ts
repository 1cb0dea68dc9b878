import type { FamilyCurrencies } from '@billstream/accounts-domain';
import { type AccountView, accountById, currenciesPaidFor } from '@billstream/accounts-read-models';
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

/** What an account's decisions must know of its parent, the one that a request names or the one that it has, and children. */
export const familyOf = async (
  accounts: Accounts,
  tenantId: string,
  { named, accountId }: { readonly named: string | null; readonly accountId: string | null },
): Promise<{ readonly parentKnown: boolean; readonly familyCurrencies: FamilyCurrencies }> => {
  const { database } = accounts.runtime;
  const byId = (id: string) => lookTwice(accounts, () => accountById(database, tenantId, id));
  const before = accountId === null || named !== null ? null : ((await byId(accountId))?.parentAccountId ?? null);
  const parentId = named ?? before;
  const parent = parentId === null ? null : await byId(parentId);
  return {
    parentKnown: named === null || parent !== null,
    familyCurrencies: {
      parent: parent?.currency ?? null,
      children: accountId === null ? [] : await currenciesPaidFor(database, tenantId, accountId),
    },
  };
};
