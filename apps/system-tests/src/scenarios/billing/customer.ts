import { type Client, idIn } from '../../../../../tools/day/client';
import {
  type Account,
  type InvoiceJson,
  addPayPal,
  invoicesOf,
  moveClock,
  openAccount,
  settled,
  uploadPayPalConfig,
} from '../../../../../tools/day/day';
import type { SystemUnderTest } from '../../system';
import { type ScenarioCatalog, catalogXml } from './catalog-xml';

export type PaymentJson = {
  readonly paymentId: string;
  readonly purchasedAmount: number;
  readonly transactions: readonly {
    readonly status: string;
    readonly amount: number;
    readonly effectiveDate: string;
    readonly gatewayErrorCode: string | null;
    readonly firstPaymentReferenceId: string | null;
  }[];
};

export type Line = readonly [type: string, from: string, to: string | null, amount: number];

/** One customer of a shop of its own, through the public API alone. */
export type Customer = {
  readonly api: Client;
  readonly account: Account;
  at(time: string): Promise<void>;
  /** The id of the new subscription, once its bill is there. */
  subscribe(planName: string): Promise<string>;
  change(subscriptionId: string, planName: string): Promise<void>;
  cancel(subscriptionId: string): Promise<void>;
  invoices(): Promise<readonly InvoiceJson[]>;
  /** Oldest first, each as its date, amount, balance and lines. */
  bills(): Promise<
    readonly {
      readonly date: string;
      readonly amount: number;
      readonly balance: number;
      readonly lines: readonly Line[];
    }[]
  >;
  payments(): Promise<readonly PaymentJson[]>;
  balance(): Promise<{ readonly accountBalance: number; readonly accountCBA: number }>;
};

export type Shop = { readonly catalog: ScenarioCatalog; readonly start: string; readonly pays: boolean };

export const newCustomer = async (system: SystemUnderTest, { catalog, start, pays }: Shop): Promise<Customer> => {
  const { api } = await system.newTenant({ withDefaults: false });
  await moveClock(api, new Date(start));
  await api.expect(201, 'POST', '/1.0/kb/catalog/xml', { type: 'text/xml', body: catalogXml(catalog) });
  const account = await openAccount(api, 'customer@example.com');
  if (pays) {
    await uploadPayPalConfig(api);
    await addPayPal(api, account, system.emulatorUrl);
  }
  const customer: Customer = {
    api,
    account,
    at: (time) => moveClock(api, new Date(time)),
    subscribe: async (planName) => {
      await settled(api);
      const created = await api.expect(201, 'POST', '/1.0/kb/subscriptions', {
        body: { accountId: account.accountId, planName },
      });
      await settled(api);
      return idIn(created);
    },
    change: async (subscriptionId, planName) => {
      await api.expect(204, 'PUT', `/1.0/kb/subscriptions/${subscriptionId}`, { body: { planName } });
      await settled(api);
    },
    cancel: async (subscriptionId) => {
      await api.expect(204, 'DELETE', `/1.0/kb/subscriptions/${subscriptionId}`);
      await settled(api);
    },
    invoices: () => invoicesOf(api, account),
    bills: async () =>
      (await customer.invoices()).map(({ invoiceDate: date, amount, balance, items }) => ({
        ...{ date, amount, balance },
        lines: items.map((item): Line => [item.itemType, item.startDate, item.endDate, item.amount]).sort(),
      })),
    payments: async () => (await api.expect(200, 'GET', `/1.0/kb/accounts/${account.accountId}/payments`)).json(),
    balance: async () => {
      const { accountBalance, accountCBA } = (
        await api.expect(200, 'GET', `/1.0/kb/accounts/${account.accountId}?accountWithBalanceAndCBA=true`)
      ).json<{ accountBalance: number; accountCBA: number }>();
      return { accountBalance, accountCBA };
    },
  };
  return customer;
};

/** What the gateway's own books say was taken for a payment. */
export const chargesFor = async (system: SystemUnderTest, { paymentId }: PaymentJson): Promise<readonly string[]> => {
  const { entries } = (
    await system
      .as()
      .expect(200, 'GET', `${system.emulatorUrl}/control/ledger?kind=charge&status=completed&invoiceRef=${paymentId}`)
  ).json<{ entries: readonly { amount: string }[] }>();
  return entries.map(({ amount }) => amount);
};

export const subscriptionOf = async ({ api }: Customer, subscriptionId: string) =>
  (await api.expect(200, 'GET', `/1.0/kb/subscriptions/${subscriptionId}`)).json<{
    planName: string;
    phaseType: string;
    state: string;
    chargedThroughDate: string | null;
  }>();
