import { type Decider, accept, defineSchema } from '@billstream/event-sourcing';
import type { Currency } from '@billstream/kernel';

/** Accounts' own copy of what invoicing and payments know. Minor units of `currency`; null: nothing was told yet. */
export type Figures = {
  readonly balance: Balance | null;
  /** Invoices that ask for something, as invoicing told. */
  readonly unpaidInvoices: ReadonlySet<string>;
  readonly paymentMethodId: string | null;
};

export type Balance = {
  readonly currency: Currency;
  /** Sum of invoice balances less credit (Kill Bill's accountBalance). */
  readonly balanceMinor: number;
  /** Sum of credit items (Kill Bill's accountCBA). */
  readonly creditMinor: number;
};

/** Of the invoices that were touched: which of them still ask for something. Older events do not say. */
type InvoiceBalances = { readonly invoices?: readonly { readonly invoiceId: string; readonly isUnpaid: boolean }[] };

export type FiguresEvent =
  | { readonly type: 'BalanceRecorded'; readonly data: Balance & { readonly accountId: string } & InvoiceBalances }
  | {
      readonly type: 'DefaultPaymentMethodSet';
      readonly data: { readonly accountId: string; readonly paymentMethodId: string | null };
    };

export type FiguresCommand =
  | { readonly type: 'RecordBalance'; readonly data: Balance & { readonly accountId: string } & InvoiceBalances }
  | {
      readonly type: 'SetDefaultPaymentMethod';
      readonly data: { readonly accountId: string; readonly paymentMethodId: string | null };
    };

/** Facts of other contexts are recorded, never judged; what changes nothing leaves no event. */
export const figures: Decider<FiguresCommand, FiguresEvent, Figures, never> = {
  initial: { balance: null, unpaidInvoices: new Set(), paymentMethodId: null },
  decide: (command, known) => {
    switch (command.type) {
      case 'RecordBalance':
        return sameBalance(known.balance, command.data) && sameInvoices(known, command.data)
          ? accept()
          : accept({ type: 'BalanceRecorded', data: command.data });
      case 'SetDefaultPaymentMethod':
        return known.paymentMethodId === command.data.paymentMethodId
          ? accept()
          : accept({ type: 'DefaultPaymentMethodSet', data: command.data });
    }
  },
  evolve: (known, event) => {
    switch (event.type) {
      case 'BalanceRecorded': {
        const { currency, balanceMinor, creditMinor } = event.data;
        return {
          ...known,
          balance: { currency, balanceMinor, creditMinor },
          unpaidInvoices: unpaidAfter(known, event.data),
        };
      }
      case 'DefaultPaymentMethodSet':
        return { ...known, paymentMethodId: event.data.paymentMethodId };
    }
  },
};

const sameInvoices = ({ unpaidInvoices }: Figures, { invoices = [] }: InvoiceBalances): boolean =>
  invoices.every(({ invoiceId, isUnpaid }) => unpaidInvoices.has(invoiceId) === isUnpaid);

const unpaidAfter = ({ unpaidInvoices }: Figures, { invoices = [] }: InvoiceBalances): ReadonlySet<string> => {
  const paid = new Set(invoices.filter(({ isUnpaid }) => !isUnpaid).map(({ invoiceId }) => invoiceId));
  const unpaid = invoices.filter(({ isUnpaid }) => isUnpaid).map(({ invoiceId }) => invoiceId);
  return new Set([...[...unpaidInvoices].filter((invoiceId) => !paid.has(invoiceId)), ...unpaid]);
};

const sameBalance = (a: Balance | null, b: Balance): boolean =>
  a !== null && a.currency === b.currency && a.balanceMinor === b.balanceMinor && a.creditMinor === b.creditMinor;

export const figuresSchema = defineSchema<FiguresEvent>({
  BalanceRecorded: 'accountFigures.balance-recorded.v1',
  DefaultPaymentMethodSet: 'accountFigures.default-payment-method-set.v1',
});
