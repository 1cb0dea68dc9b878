import type { Account, Invoice, InvoicePayment, Subscription } from 'killbill';
import { randomUUID } from 'node:crypto';
import type { Client } from '../../../../tools/day/client';
import { moveClock, settled } from '../../../../tools/day/day';
import { goldenCatalog } from '../golden/case-file';
import { catalogDocument } from '../golden/catalog-document';
import type { SystemUnderTest, Tenant } from '../system';
import { type OfficialClient, officialClient } from './client';

/** Who every write says it is. */
export const by = 'official-client';

/** The test gateway, which takes every payment. */
export const gateway = 'killbill-payment-test';

export type Customer = { readonly accountId: string; readonly externalKey: string; readonly paymentMethodId: string };

/** A tenant with the catalog of the golden cases, as the official client sees it. */
export type Shop = {
  readonly system: SystemUnderTest;
  readonly tenant: Tenant;
  readonly tenantId: string;
  readonly kb: OfficialClient;
  readonly called: Set<string>;
  readonly api: Client;
  /** Everything that was set off is done. */
  readonly rest: () => Promise<void>;
  readonly at: (time: string) => Promise<void>;
  /** With the test gateway as payment method. */
  readonly customer: (account?: Account) => Promise<Customer>;
  /** On a plan of the catalog, billed and paid as far as it is due. */
  readonly subscribe: (customer: Customer, planName: string, rest?: Partial<Subscription>) => Promise<Subscription>;
  /** Oldest first. */
  readonly invoices: (customer: Customer) => Promise<readonly Invoice[]>;
  readonly payments: (customer: Customer) => Promise<readonly InvoicePayment[]>;
};

export const isoDate = /^\d{4}-\d{2}-\d{2}$/;
export const uuid = expect.stringMatching(/^[0-9a-f-]{36}$/) as string;

/** A shop with its own tenant. What its client calls is noted in `called`. */
export const openShop = async (system: SystemUnderTest, called: Set<string> = new Set()): Promise<Shop> => {
  const { tenant, tenantId, api } = await system.newTenant({ withDefaults: true });
  const kb = officialClient({ url: system.url, tenant, called });
  const rest = (): Promise<void> => settled(api);
  const shop: Shop = {
    ...{ system, tenant, tenantId, kb, called, api, rest },
    at: (time) => moveClock(api, new Date(time)),
    customer: async (account = {}) => {
      const externalKey = `customer-${randomUUID()}`;
      const made = { name: 'Customer', externalKey, email: `${externalKey}@example.com`, currency: 'USD' as const };
      const { data } = await kb.account.createAccount({ ...made, ...account }, by);
      const accountId = data.accountId ?? '';
      const method = { pluginName: gateway, pluginInfo: { properties: [] } };
      const added = await kb.account.createPaymentMethod(method, accountId, by, true);
      await rest();
      return { accountId, externalKey, paymentMethodId: added.data.paymentMethodId ?? '' };
    },
    subscribe: async ({ accountId }, planName, more = {}) => {
      const { data } = await kb.subscription.createSubscription({ accountId, planName, ...more } as Subscription, by);
      await rest();
      return data;
    },
    invoices: async ({ accountId }) => {
      const { data } = await kb.account.getInvoicesForAccount(
        ...([accountId, undefined, undefined, false, false, false, true] as const),
      );
      return data;
    },
    payments: async ({ accountId }) => {
      const { data } = await kb.account.getInvoicePayments(accountId);
      return [...data].sort((a, b) => Number(a.paymentNumber) - Number(b.paymentNumber));
    },
  };
  await shop.at('2026-03-01T08:00:00Z');
  const [version] = goldenCatalog('default').versions;
  if (version === undefined) throw new Error('no catalog');
  await kb.catalog.uploadCatalogXml(catalogDocument(version), by);
  await rest();
  return shop;
};
