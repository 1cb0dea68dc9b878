import type { AccountJson, InvoiceJson, OverdueJson, PaymentJson, SubscriptionJson } from './answers';
import { type Stage, accountOf, subscriptionOf } from './stage';

/** What the API says at one moment, in the order in which the cases count. */
export type View = {
  account(ref: string): Promise<AccountJson>;
  overdue(ref: string): Promise<OverdueJson>;
  subscription(ref: string): Promise<SubscriptionJson>;
  /** By target date (invoice date without one), then in order of creation; voided ones left out unless asked for. */
  invoices(ref: string, voided?: 'with-voided'): Promise<readonly InvoiceJson[]>;
  /** With a balance, by invoice date, then in order of creation. */
  unpaidInvoices(ref: string): Promise<readonly InvoiceJson[]>;
  invoice(invoiceId: string): Promise<InvoiceJson>;
  paymentsOfInvoice(invoiceId: string): Promise<readonly PaymentJson[]>;
  /** In order of creation. */
  payments(ref: string): Promise<readonly PaymentJson[]>;
};

type Key = string | number;

/** By the key; what is equal stays in the order in which the API lists it, which is that of creation. */
const ordered = <T>(list: readonly T[], key: (entry: T) => Key): readonly T[] =>
  [...list].sort((a, b) => {
    const [one, other] = [key(a), key(b)];
    return one === other ? 0 : one < other ? -1 : 1;
  });

export const viewOf = (stage: Stage): View => {
  const asked = new Map<string, Promise<unknown>>();
  const once = <T>(path: string, query: Readonly<Record<string, boolean>> = {}): Promise<T> => {
    const key = `${path} ${JSON.stringify(query)}`;
    const answer = asked.get(key) ?? stage.requests.get(path, query);
    asked.set(key, answer);
    return answer as Promise<T>;
  };
  const ofAccount = (ref: string, rest = ''): string => `/accounts/${accountOf(stage, ref).accountId}${rest}`;
  return {
    account: (ref) => once(ofAccount(ref), { accountWithBalanceAndCBA: true }),
    overdue: (ref) => once(ofAccount(ref, '/overdue')),
    subscription: (ref) => once(`/subscriptions/${subscriptionOf(stage, ref).subscriptionId}`),
    invoices: async (ref, voided) => {
      const all = await once<readonly InvoiceJson[]>(ofAccount(ref, '/invoices'), {
        includeInvoiceComponents: true,
        includeVoidedInvoices: true,
      });
      const counted = all.filter(({ status }) => voided !== undefined || status !== 'VOID');
      return ordered(counted, ({ targetDate, invoiceDate }) => targetDate ?? invoiceDate);
    },
    unpaidInvoices: async (ref) => {
      const unpaid = await once<readonly InvoiceJson[]>(ofAccount(ref, '/invoices'), { unpaidInvoicesOnly: true });
      return ordered(
        unpaid.filter(({ balance }) => balance > 0),
        ({ invoiceDate }) => invoiceDate,
      );
    },
    invoice: (invoiceId) => once(`/invoices/${invoiceId}`),
    paymentsOfInvoice: (invoiceId) => once(`/invoices/${invoiceId}/payments`),
    payments: async (ref) => {
      const all = await once<readonly PaymentJson[]>(ofAccount(ref, '/invoicePayments'));
      return ordered(all, ({ paymentNumber }) => Number(paymentNumber));
    },
  };
};
