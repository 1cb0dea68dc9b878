import type { CommandContext } from '@billstream/event-sourcing';
import type { InvoicingEvent } from '@billstream/invoicing-contracts';
import {
  type AccountInvoicesCommand,
  accountInvoicesStream,
  chargedTooMuch,
  entryOf,
  isOwedAgain,
  paidForChildren,
} from '@billstream/invoicing-domain';
import { derivedId } from '@billstream/kernel';
import { givenCredit } from '../given-credit';
import type { Invoicing } from '../invoicing';

type Told<Type extends InvoicingEvent['type']> = Extract<InvoicingEvent, { readonly type: Type }>['data'];

const record = async (
  invoicing: Invoicing,
  accountId: string,
  command: AccountInvoicesCommand,
  context: CommandContext,
): Promise<void> => {
  const commandId = derivedId(context.commandId, command.type, accountId);
  const handled = await invoicing.accountInvoices(accountInvoicesStream(accountId), command, { ...context, commandId });
  if (handled.outcome !== 'accepted') throw new Error(`${command.type} of ${accountId} ended as ${handled.outcome}`);
};

/** A child's invoice becomes part of what its parent is charged on that day (Kill Bill 2.14). */
export const sumUpChildInvoice = async (
  invoicing: Invoicing,
  { accountId, invoiceId, balanceMinor, parentAccountId, currency }: Told<'invoicing.invoice-committed.v1'>,
  context: CommandContext,
): Promise<void> => {
  if (parentAccountId === undefined) return;
  // News of the parent travels under a key of its own: it may be late, and the invoice must not be lost for that.
  const parent = (await invoicing.stateOf(parentAccountId)).account;
  if (parent === null) throw new Error(`the parent ${parentAccountId} of invoice ${invoiceId} is not known yet`);
  const { account, invoices } = await invoicing.stateOf(accountId);
  if (parent.currency !== currency)
    invoicing.runtime.logger.warn(
      { accountId, invoiceId, parentAccountId, currency, parentCurrency: parent.currency },
      'an invoice stays with the child: its parent has another currency',
    );
  const child = {
    childAccountId: accountId,
    childExternalKey: account?.externalKey ?? accountId,
    childInvoiceId: invoiceId,
    currency,
    dueMinor: balanceMinor,
    hasCharges: (entryOf(invoices, invoiceId)?.items ?? []).some(
      ({ type }) => type === 'FIXED' || type === 'RECURRING',
    ),
  };
  await record(invoicing, parentAccountId, { type: 'RecordChildInvoice', child, now: context.at }, context);
};

/** What a child's invoices ask for goes to its parent; what a parent has paid goes to the children it was for. */
export const followBalances = async (
  invoicing: Invoicing,
  { accountId, invoices, parentAccountId }: Told<'invoicing.balance-changed.v1'>,
  context: CommandContext,
): Promise<void> => {
  // Who was charged for an invoice hears of it, whoever pays for the account by now: else it is paid for twice.
  const due = new Map<string, { readonly invoiceId: string; readonly dueMinor: number }[]>();
  for (const { invoiceId, withoutParentMinor, parentAccountId: charged = parentAccountId } of invoices)
    if (withoutParentMinor !== undefined && charged !== undefined)
      due.set(charged, [...(due.get(charged) ?? []), { invoiceId, dueMinor: withoutParentMinor }]);
  for (const [charged, balances] of due)
    await record(invoicing, charged, { type: 'RecordChildBalances', invoices: balances, now: context.at }, context);
  for (const { invoiceId } of invoices.filter(({ isParentInvoice }) => isParentInvoice === true))
    await settleChildren(invoicing, { accountId, invoiceId }, context);
};

const settleChildren = async (
  invoicing: Invoicing,
  { accountId, invoiceId }: { readonly accountId: string; readonly invoiceId: string },
  context: CommandContext,
): Promise<void> => {
  const parent = await invoicing.stateOf(accountId);
  const commandId = derivedId(context.commandId, invoiceId);
  for (const [childAccountId, invoices] of paidForChildren(parent, invoiceId)) {
    const command = { type: 'RecordParentPayment' as const, invoices, now: context.at };
    await record(invoicing, childAccountId, command, { ...context, commandId });
    if (!isOwedAgain(parent, invoiceId)) continue;
    const less = chargedTooMuch(parent, invoiceId, await invoicing.stateOf(childAccountId));
    if (less.length === 0) continue;
    const lowered = { type: 'RecordChildBalances' as const, invoices: less, now: context.at };
    await record(invoicing, accountId, lowered, { ...context, commandId: derivedId(commandId, childAccountId) });
  }
};

/** Credit that left a child is given to its parent, once however often it is told. */
export const giveTransferredCredit = async (
  invoicing: Invoicing,
  { parentAccountId, invoiceId, amountMinor }: Omit<Told<'invoicing.credit-transferred.v1'>, 'currency'>,
  { tenantId, actor, at, correlationId }: CommandContext,
): Promise<void> => {
  const credit = givenCredit(amountMinor, 'Account credit moved from a child account');
  await record(
    invoicing,
    parentAccountId,
    { type: 'AddItems', items: [credit], effectiveDate: null, autoCommit: true, now: at },
    { tenantId, actor, at, correlationId, commandId: derivedId('transferred-credit', invoiceId) },
  );
};
