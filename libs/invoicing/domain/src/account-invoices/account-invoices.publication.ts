import type { Publication } from '@billstream/event-sourcing';
import type { InvoicingEvent } from '@billstream/invoicing-contracts';
import type { AccountInvoicesEvent } from './account-invoices.events';
import { accountInvoicesSchema } from './account-invoices.schema';

type Head = Extract<InvoicingEvent, { readonly type: 'invoicing.invoice-committed.v1' }>['data'];

type Made = { readonly items?: readonly { readonly itemId: string }[] };

const headOf = (invoice: Head & Made): Head => {
  const { invoiceId, accountId, invoiceNumber, invoiceDate, targetDate, currency } = invoice;
  const { amountMinor, balanceMinor, parentAccountId, items } = invoice;
  return {
    ...{ invoiceId, accountId, invoiceNumber, invoiceDate, targetDate, currency, amountMinor, balanceMinor },
    ...(parentAccountId === undefined ? {} : { parentAccountId }),
    ...(items === undefined ? {} : { invoiceItemIds: items.map(({ itemId }) => itemId) }),
  };
};

type Data<Type extends AccountInvoicesEvent['type']> = Extract<AccountInvoicesEvent, { readonly type: Type }>['data'];

const usageRequested = (data: Data<'UsageRequested'>): InvoicingEvent => {
  const { requestId, accountId, accountExternalKey, subscriptionId, planName, timeZone, periods } = data;
  return {
    type: 'invoicing.usage-requested.v1',
    data: { requestId, accountId, accountExternalKey, subscriptionId, planName, timeZone, periods },
  };
};

const invoiceCommitted = (invoice: Head & Made): InvoicingEvent => ({
  type: 'invoicing.invoice-committed.v1',
  data: headOf(invoice),
});

const itemsMade = ({ accountId, items }: Required<Made> & { readonly accountId: string }): InvoicingEvent => ({
  type: 'invoicing.invoice-items-made.v1',
  data: { accountId, invoiceItemIds: items.map(({ itemId }) => itemId) },
});

/** Items and, of each invoice that has got them, that it has changed. */
const adjusted = (
  data: Required<Made> & { readonly accountId: string },
  invoiceIds: readonly string[],
): readonly InvoicingEvent[] => [
  itemsMade(data),
  ...[...new Set(invoiceIds)].map((invoiceId) => ({
    type: 'invoicing.invoice-adjusted.v1' as const,
    data: { accountId: data.accountId, invoiceId },
  })),
];

const parked = (accountId: string, isParked: boolean): InvoicingEvent => ({
  type: 'invoicing.account-parked.v1',
  data: { accountId, isParked },
});

/**
 * What others hear of each event. The others are nobody's business, as a draft is until it is committed, but for the ids
 * of its items.
 */
const published: {
  readonly [Type in AccountInvoicesEvent['type']]?: (data: Data<Type>) => InvoicingEvent | readonly InvoicingEvent[];
} = {
  UsageRequested: usageRequested,
  InvoiceCommitted: invoiceCommitted,
  DraftCommitted: invoiceCommitted,
  InvoiceItemsDrawn: itemsMade,
  InvoiceDrafted: itemsMade,
  DraftExtended: itemsMade,
  InvoiceAdjusted: (data) => adjusted(data, [data.invoiceId]),
  CreditApplied: (data) =>
    adjusted(
      data,
      data.items.map(({ invoiceId }) => invoiceId).filter((invoiceId) => invoiceId !== data.newInvoiceId),
    ),
  InvoiceVoided: (data) => ({ type: 'invoicing.invoice-voided.v1', data }),
  BalanceChanged: (data) => ({ type: 'invoicing.balance-changed.v1', data }),
  ChargedThroughChanged: ({ accountId, through }) => ({
    type: 'invoicing.charged-through-changed.v1',
    data: {
      accountId,
      subscriptions: through.flatMap(({ chargedThroughDate, subscriptionIds }) =>
        subscriptionIds.map((subscriptionId) => ({ subscriptionId, chargedThroughDate })),
      ),
    },
  }),
  CreditTransferred: (data) => ({ type: 'invoicing.credit-transferred.v1', data }),
  InvoicingParked: ({ accountId }) => parked(accountId, true),
  InvoicingUnparked: ({ accountId }) => parked(accountId, false),
  BillCycleDayChosen: (data) => ({ type: 'invoicing.bill-cycle-day-chosen.v1', data }),
};

const publicEventsOf = ({ type, data }: AccountInvoicesEvent): readonly InvoicingEvent[] =>
  [
    (published[type] as ((data: object) => InvoicingEvent | readonly InvoicingEvent[]) | undefined)?.(data) ?? [],
  ].flat();

/** What other contexts hear of an account's invoices; everything of one account travels in order. */
export const accountInvoicesPublication: Publication = (recorded) => {
  const event = accountInvoicesSchema.decode(recorded);
  return event === null ? [] : publicEventsOf(event).map(({ type, data }) => ({ type, key: data.accountId, data }));
};
