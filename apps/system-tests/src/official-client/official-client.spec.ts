import { startSystem } from '../system';
import { accounts } from './accounts';
import { catalog } from './catalog';
import { methodsOfClient } from './client';
import { invoices } from './invoices';
import { outsideTheContract } from './outside-the-contract';
import { invoicePayments, paymentMethods, payments } from './payments';
import { type Shop, openShop } from './shop';
import { bundles, subscriptions } from './subscriptions';
import { tagsAndFields } from './tags-and-fields';
import { overdue, security, tenants } from './tenants';

/** Kill Bill's own JavaScript client, unchanged, against this system: what it can ask is asked. */
let shop: Shop;
beforeAll(async () => {
  shop = await openShop(await startSystem());
}, 60_000);
afterAll(() => shop.system.stop(), 30_000);

jest.setTimeout(60_000);
const there = (): Shop => shop;

describe('the official client', () => {
  describe('accounts', () => accounts(there));
  describe('subscriptions', () => subscriptions(there));
  describe('bundles', () => bundles(there));
  describe('catalog', () => catalog(there));
  describe('invoices', () => invoices(there));
  describe('payments', () => payments(there));
  describe('payments of invoices', () => invoicePayments(there));
  describe('payment methods', () => paymentMethods(there));
  describe('tags and custom fields', () => tagsAndFields(there));
  describe('tenants', () => tenants(there));
  describe('overdue', () => overdue(there));
  describe('security', () => security(there));

  it('has no method that is neither called here nor named as outside the contract', () => {
    const open = methodsOfClient().filter((method) => !shop.called.has(method) && !(method in outsideTheContract));
    expect(open).toEqual([]);
  });

  it('calls nothing that is named as outside the contract, and all that is named is there', () => {
    const named = Object.keys(outsideTheContract);
    expect(named.filter((method) => shop.called.has(method))).toEqual([]);
    expect(methodsOfClient()).toEqual(expect.arrayContaining(named));
  });
});
