import { randomUUID } from 'node:crypto';
import { accountTime } from '../account-days';
import type { AccountJson } from '../answers';
import type { GoldenAccount } from '../case-file';
import { type Stage, accountOf, invoiceNamed, look, ownerAndName } from '../stage';
import type { Action } from './action';

const gatewayName = 'killbill-payment-test';

/** The ids that Kill Bill gives its control tags: their position in this list. */
const controlTags = [
  ...['AUTO_PAY_OFF', 'AUTO_INVOICING_OFF', 'OVERDUE_ENFORCEMENT_OFF', 'WRITTEN_OFF', 'MANUAL_PAY', 'TEST', 'PARTNER'],
  ...['AUTO_INVOICING_DRAFT', 'AUTO_INVOICING_REUSE_DRAFT'],
];
const tagId = (tag: string): string => {
  const position = controlTags.indexOf(tag) + 1;
  if (position === 0) throw new Error(`${tag} is no control tag`);
  return `00000000-0000-0000-0000-${String(position).padStart(12, '0')}`;
};

const addMethod = (stage: Stage, accountId: string) =>
  stage.requests.send('POST', `/accounts/${accountId}/paymentMethods`, {
    query: { isDefault: true },
    body: { accountId, pluginName: gatewayName, pluginInfo: { properties: [] } },
  });

export type NewAccount = Omit<GoldenAccount, 'createdAt'> & {
  readonly ref: string;
  readonly parent?: string;
  readonly paymentDelegatedToParent?: boolean;
};

/** Its reference time is the instant at which it is made, unless the case gives another. */
export const openAccount = async (stage: Stage, account: NewAccount, at: string): Promise<void> => {
  const { ref, currency, timeZone, billCycleDayLocal, paymentMethod, parent, referenceTime = at } = account;
  const answer = await stage.requests.send('POST', '/accounts', {
    body: {
      name: `Golden ${ref}`,
      externalKey: `${ref}-${randomUUID()}`,
      email: `${ref}@example.com`,
      currency,
      timeZone,
      billCycleDayLocal: billCycleDayLocal ?? undefined,
      referenceTime,
      parentAccountId: parent === undefined ? undefined : accountOf(stage, parent).accountId,
      isPaymentDelegatedToParent: account.paymentDelegatedToParent,
    },
  });
  const made = await stage.requests.created<AccountJson>(answer);
  if (made === null) throw new Error('a new account without an address');
  const { accountId } = made;
  stage.accounts.set(ref, { ref, accountId, currency, time: accountTime(timeZone, referenceTime) });
  if (paymentMethod) await addMethod(stage, accountId);
};

const createAccount: Action<NewAccount> = (stage, args, { at }) => openAccount(stage, args, at);

const addPaymentMethod: Action<{ readonly account?: string }> = async (stage, { account }) => {
  await addMethod(stage, accountOf(stage, account).accountId);
};

/** It takes no payment any more, and its account pays by itself only when it gets another. */
const deletePaymentMethod: Action<{ readonly account?: string; readonly autoPayOff: boolean }> = async (
  stage,
  { account, autoPayOff },
) => {
  const { paymentMethodId } = await look(stage).account(account ?? 'a1');
  await stage.requests.send('DELETE', `/paymentMethods/${paymentMethodId ?? ''}`, {
    query: { deleteDefaultPmWithAutoPayOff: autoPayOff },
  });
};

type Update = {
  readonly account?: string;
  readonly billCycleDayLocal?: number;
  /** Null: it has none from here on. */
  readonly parent?: string | null;
  readonly paymentDelegatedToParent?: boolean;
};

/** What may be emptied is so only by an update that names all that shall stay. */
const updateAccount: Action<Update> = async (stage, { account = 'a1', parent, ...change }) => {
  const { accountId } = accountOf(stage, account);
  const body = {
    ...(parent === null ? await look(stage).account(account) : {}),
    ...(change.billCycleDayLocal === undefined ? {} : { billCycleDayLocal: change.billCycleDayLocal }),
    isPaymentDelegatedToParent: change.paymentDelegatedToParent,
    parentAccountId: typeof parent === 'string' ? accountOf(stage, parent).accountId : undefined,
  };
  await stage.requests.send('PUT', `/accounts/${accountId}`, { query: { treatNullAsReset: parent === null }, body });
};

type Tagging = { readonly tag: string; readonly object: string };

/** An account or an invoice. */
const tagsOf = async (stage: Stage, object: string): Promise<string> => {
  if (/^a\d+$/.test(object)) return `/accounts/${accountOf(stage, object).accountId}/tags`;
  const { account, name } = ownerAndName(object);
  return `/invoices/${(await invoiceNamed(stage, name, account)).invoiceId}/tags`;
};

const tag: Action<Tagging> = async (stage, args) => {
  await stage.requests.send('POST', await tagsOf(stage, args.object), { body: [tagId(args.tag)] });
};

const untag: Action<Tagging> = async (stage, args) => {
  await stage.requests.send('DELETE', await tagsOf(stage, args.object), { query: { tagDef: tagId(args.tag) } });
};

const transferChildCreditToParent: Action<{ readonly account: string }> = async (stage, { account }) => {
  await stage.requests.send('PUT', `/accounts/${accountOf(stage, account).accountId}/transferCredit`);
};

export const accountActions = {
  createAccount,
  addPaymentMethod,
  deletePaymentMethod,
  updateAccount,
  tag,
  untag,
  transferChildCreditToParent,
};
