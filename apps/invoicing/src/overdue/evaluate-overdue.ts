import type { CommandContext } from '@billstream/event-sourcing';
import {
  type AccountInvoices,
  type Debts,
  debtsOf,
  noOverdueConfig,
  overdueStream,
} from '@billstream/invoicing-domain';
import { delegatingChildren } from '@billstream/invoicing-read-models';
import { derivedId, localDateOf, notBefore } from '@billstream/kernel';
import type { Invoicing } from '../invoicing';

/** Who pays decides who is late: an account whose parent pays for it is looked at through the parent's invoices. */
const debtsFor = async (invoicing: Invoicing, { account, ...own }: AccountInvoices): Promise<Debts> =>
  account?.parentAccountId !== undefined && account.isPaymentDelegatedToParent === true
    ? debtsOf(await invoicing.stateOf(account.parentAccountId))
    : debtsOf({ account, ...own });

/** Looks whether one account is overdue, with effect from `context.at`. Returns the position to wait for. */
export const evaluateOverdue = async (
  invoicing: Invoicing,
  accountId: string,
  context: CommandContext,
): Promise<bigint | null> => {
  const state = await invoicing.stateOf(accountId);
  if (state.account === null) return null;
  const config = (await invoicing.overdueConfigOf(context.tenantId)) ?? noOverdueConfig;
  const { timeZone, referenceTime } = state.account;
  const now = notBefore(context.at, invoicing.runtime.clock.now(context.tenantId));
  const data = {
    accountId,
    config,
    debts: await debtsFor(invoicing, state),
    today: localDateOf(now, { timeZone, referenceTime }),
    since: context.at,
  };
  const handled = await invoicing.overdue(
    overdueStream(accountId),
    { type: 'EvaluateOverdue', data },
    { ...context, commandId: derivedId(context.commandId, 'overdue', accountId) },
  );
  if (handled.outcome !== 'accepted')
    throw new Error(`looking whether ${accountId} is overdue ended as ${handled.outcome}`);
  return handled.position;
};

/** The account, and those it pays for: they are overdue together (Kill Bill 2.16). */
export const evaluateFamily = async (
  invoicing: Invoicing,
  accountId: string,
  context: CommandContext,
): Promise<void> => {
  const { database } = invoicing.runtime;
  for (const one of [accountId, ...(await delegatingChildren(database, context.tenantId, accountId))])
    await evaluateOverdue(invoicing, one, context);
};
