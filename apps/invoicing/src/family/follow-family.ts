import type { CommandContext } from '@billstream/event-sourcing';
import type { InvoicingEvent } from '@billstream/invoicing-contracts';
import { type AccountInvoicesCommand, accountInvoicesStream } from '@billstream/invoicing-domain';
import { derivedId } from '@billstream/kernel';
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
  { accountId, invoiceId, balanceMinor, parentAccountId }: Told<'invoicing.invoice-committed.v1'>,
  context: CommandContext,
): Promise<void> => {
  if (parentAccountId === undefined) return;
  const { account, invoices } = await invoicing.stateOf(accountId);
  const child = {
    childAccountId: accountId,
    childExternalKey: account?.externalKey ?? accountId,
    childInvoiceId: invoiceId,
    dueMinor: balanceMinor,
    hasCharges: (invoices[invoiceId]?.items ?? []).some(({ type }) => type === 'FIXED' || type === 'RECURRING'),
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
  for (const { invoiceId, balanceMinor } of invoices.filter(({ isParentInvoice }) => isParentInvoice === true))
    await settleChildren(invoicing, { accountId, invoiceId, isPaid: balanceMinor <= 0 }, context);
};

const settleChildren = async (
  invoicing: Invoicing,
  {
    accountId,
    invoiceId,
    isPaid,
  }: { readonly accountId: string; readonly invoiceId: string; readonly isPaid: boolean },
  context: CommandContext,
): Promise<void> => {
  const { children, invoices } = await invoicing.stateOf(accountId);
  if (invoices[invoiceId]?.status !== 'COMMITTED') return;
  const shares = Object.values(children).filter((share) => share.invoiceId === invoiceId);
  for (const childAccountId of new Set(shares.map((share) => share.childAccountId))) {
    const invoiceIds = shares
      .filter((share) => share.childAccountId === childAccountId)
      .map(({ childInvoiceId }) => childInvoiceId);
    const command = { type: 'RecordParentPayment' as const, invoiceIds, isPaid, now: context.at };
    const commandId = derivedId(context.commandId, invoiceId);
    await record(invoicing, childAccountId, command, { ...context, commandId });
  }
};

/** Credit that left a child is given to its parent, once however often it is told. */
export const giveTransferredCredit = async (
  invoicing: Invoicing,
  { parentAccountId, invoiceId, amountMinor }: Omit<Told<'invoicing.credit-transferred.v1'>, 'currency'>,
  { tenantId, actor, at, correlationId }: CommandContext,
): Promise<void> => {
  const credit = {
    type: 'CREDIT_ADJ' as const,
    amountMinor,
    invoiceId: null,
    startDate: null,
    endDate: null,
    description: 'Account credit moved from a child account',
    itemDetails: null,
    linkedItemId: null,
    quantity: null,
    rate: null,
    usageName: null,
  };
  await record(
    invoicing,
    parentAccountId,
    { type: 'AddItems', items: [credit], effectiveDate: null, autoCommit: true, now: at },
    { tenantId, actor, at, correlationId, commandId: derivedId('transferred-credit', invoiceId) },
  );
};
