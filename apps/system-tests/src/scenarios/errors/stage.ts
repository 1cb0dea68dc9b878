import { randomUUID } from 'node:crypto';
import { type Answer, idIn } from '../../../../../tools/day/client';
import { type Customer, type Shop, openShop } from '../../official-client/shop';
import { startSystem } from '../../system';

/** Kill Bill's code and status, what is wrong, and the request that is refused for it. */
export type Case = readonly [code: number, status: number, what: string, provoke: () => Promise<Answer>];

type Stage = {
  readonly shop: Shop;
  /** Pays with the test gateway. */
  readonly one: Customer;
  /** Of the customer, paid for, in the bundle with the key `taken`. */
  readonly subscriptionId: string;
  readonly bundleId: string;
  readonly invoiceId: string;
  readonly itemId: string;
  readonly paymentId: string;
};

/** What is there before the first case; set by `openStage`. */
export let stage: Stage;
export const nobody = randomUUID();

export const ask = (method: string, path: string, body?: unknown, type?: string): Promise<Answer> =>
  stage.shop.api.ask(method, `/1.0/kb${path}`, {
    ...(body === undefined ? {} : { body }),
    ...(type === undefined ? {} : { type }),
  });

/** Makes what a case needs; its id. */
export const made = async (path: string, body: unknown): Promise<string> => {
  const answer = await ask('POST', path, body);
  if (answer.status !== 201) throw new Error(`POST ${path}: ${answer.status} ${answer.text}`);
  await stage.shop.rest();
  return idIn(answer);
};

export const done = async (method: string, path: string, body?: unknown): Promise<void> => {
  const answer = await ask(method, path, body);
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
  await stage.shop.rest();
};

/** A subscription of the customer in a bundle of its own. */
export const subscribed = (planName = 'pistol-monthly-notrial'): Promise<string> =>
  made('/subscriptions', { accountId: stage.one.accountId, planName });

export const bundleOf = async (id: string): Promise<string> =>
  (await ask('GET', `/subscriptions/${id}`)).json<{ bundleId: string }>().bundleId;

/** It and its billing are over. */
export const ended = async (id: string): Promise<string> => {
  await done('DELETE', `/subscriptions/${id}?entitlementPolicy=IMMEDIATE&billingPolicy=IMMEDIATE`);
  return id;
};

export type Line = { readonly invoiceId: string; readonly invoiceItemId: string; readonly itemType: string };

/** A charge on an invoice of its own. */
export const charged = async (amount: number, of: string): Promise<Line> => {
  const charge = { accountId: of, amount, currency: 'USD' };
  const answer = await ask('POST', `/invoices/charges/${of}?autoCommit=true`, [charge]);
  await stage.shop.rest();
  return answer.json<readonly Line[]>()[0]!;
};

/** An account that nothing is collected from. */
export const unpaying = async (): Promise<string> => {
  const accountId = await made('/accounts', { currency: 'USD' });
  await done('POST', `/accounts/${accountId}/tags`, ['00000000-0000-0000-0000-000000000001']);
  return accountId;
};

export const openStage = async (): Promise<void> => {
  const shop = await openShop(await startSystem());
  const one = await shop.customer();
  const more = { bundleExternalKey: 'taken' };
  const { subscriptionId = '', bundleId = '' } = await shop.subscribe(one, 'pistol-monthly-notrial', more);
  const [invoice] = await shop.invoices(one);
  const [payment] = await shop.payments(one);
  const ids = { invoiceId: invoice?.invoiceId ?? '', itemId: invoice?.items?.[0]?.invoiceItemId ?? '' };
  stage = { shop, one, subscriptionId, bundleId, ...ids, paymentId: payment?.paymentId ?? '' };
};
