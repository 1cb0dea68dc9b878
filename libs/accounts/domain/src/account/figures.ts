import { type Decider, accept, defineSchema } from '@billstream/event-sourcing';
import type { Currency } from '@billstream/kernel';

/** Accounts' own copy of what invoicing and payments know. Minor units of `currency`; null: nothing was told yet. */
export type Figures = {
  readonly balance: Balance | null;
  readonly paymentMethodId: string | null;
};

export type Balance = {
  readonly currency: Currency;
  /** Sum of invoice balances less credit (Kill Bill's accountBalance). */
  readonly balanceMinor: number;
  /** Sum of credit items (Kill Bill's accountCBA). */
  readonly creditMinor: number;
};

export type FiguresEvent =
  | { readonly type: 'BalanceRecorded'; readonly data: Balance & { readonly accountId: string } }
  | {
      readonly type: 'DefaultPaymentMethodSet';
      readonly data: { readonly accountId: string; readonly paymentMethodId: string | null };
    };

export type FiguresCommand =
  | { readonly type: 'RecordBalance'; readonly data: Balance & { readonly accountId: string } }
  | {
      readonly type: 'SetDefaultPaymentMethod';
      readonly data: { readonly accountId: string; readonly paymentMethodId: string | null };
    };

/** Facts of other contexts are recorded, never judged; what changes nothing leaves no event. */
export const figures: Decider<FiguresCommand, FiguresEvent, Figures, never> = {
  initial: { balance: null, paymentMethodId: null },
  decide: (command, known) => {
    switch (command.type) {
      case 'RecordBalance':
        return sameBalance(known.balance, command.data)
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
        return { ...known, balance: { currency, balanceMinor, creditMinor } };
      }
      case 'DefaultPaymentMethodSet':
        return { ...known, paymentMethodId: event.data.paymentMethodId };
    }
  },
};

const sameBalance = (a: Balance | null, b: Balance): boolean =>
  a !== null && a.currency === b.currency && a.balanceMinor === b.balanceMinor && a.creditMinor === b.creditMinor;

export const figuresSchema = defineSchema<FiguresEvent>({
  BalanceRecorded: 'accountFigures.balance-recorded.v1',
  DefaultPaymentMethodSet: 'accountFigures.default-payment-method-set.v1',
});
