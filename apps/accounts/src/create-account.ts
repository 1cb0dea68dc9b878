import { account, accountKeyStream, accountStream, profileStream } from '@billstream/accounts-domain';
import { type RequestContext, unwrap } from '@billstream/http';
import { derivedId } from '@billstream/kernel';
import { type Accounts, stepOf } from './accounts';
import { claimKey } from './claim';
import { type AccountRequest, profileOf, termsOf } from './http/account-request';
import { familyOf } from './http/find-account';
import { accountProblem } from './http/problems';

/**
 * Judged before the key is claimed, so that a refused request leaves nothing behind; then key, profile, account. Gives the
 * account's id once it can be read; throws what Kill Bill answers when it is refused.
 */
export const createAccount = async (
  accounts: Accounts,
  body: AccountRequest,
  context: RequestContext,
): Promise<string> => {
  const { runtime } = accounts;
  const terms = termsOf(body);
  const facts = {
    terms,
    ...(await familyOf(accounts, context.tenantId, { named: terms.parentAccountId, accountId: null })),
    at: runtime.clock.now(context.tenantId),
  };
  const proposedId = derivedId(context.commandId, 'account');
  const judged = account.decide({ type: 'CreateAccount', data: { ...facts, accountId: proposedId } }, account.initial);
  if ('rejected' in judged) throw accountProblem(proposedId)(judged.rejected);
  const accountId = await claim(accounts, { externalKey: terms.externalKey ?? proposedId, proposedId }, context);
  const fields = profileOf(body);
  const recorded = await accounts.profile(
    profileStream(accountId),
    { type: 'RecordProfile', data: { accountId, fields, onNull: 'reset' } },
    stepOf(context, accounts, 'profile'),
  );
  unwrap(recorded, accountProblem(accountId));
  const created = unwrap(
    await accounts.account(
      accountStream(accountId),
      { type: 'CreateAccount', data: { ...facts, accountId } },
      stepOf(context, accounts, 'create'),
    ),
    accountProblem(accountId),
  );
  await runtime.visible(created.position);
  return accountId;
};

const claim = async (
  accounts: Accounts,
  { externalKey, proposedId }: { readonly externalKey: string; readonly proposedId: string },
  context: RequestContext,
): Promise<string> => {
  const claiming = {
    store: accounts.runtime.store,
    handle: accounts.accountKey,
    claimStream: accountKeyStream(context.tenantId, externalKey),
    entityStream: accountStream,
    creatingCommandId: stepOf(context, accounts, 'create').commandId,
  };
  const accountId = await claimKey(claiming, proposedId, stepOf(context, accounts, 'claim'));
  if (accountId === null) throw accountProblem(proposedId)({ code: 'account-exists', externalKey });
  return accountId;
};
