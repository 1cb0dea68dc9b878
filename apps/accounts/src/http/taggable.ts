import type { TaggableObjectType } from '@billstream/accounts-contracts';
import { ownerOf } from '@billstream/accounts-read-models';
import type { TaggedObject } from '@billstream/accounts-domain';
import { killBillProblem } from '@billstream/http';
import { parseUuid } from '@billstream/kernel';
import { setTimeout as pause } from 'node:timers/promises';
import type { Accounts } from '../accounts';
import { existingAccount } from './find-account';

/** What can carry tags and custom fields, by its collection's path: Kill Bill's paths, parameter names and object types. */
export const taggables = [
  { path: 'accounts', parameter: 'accountId', objectType: 'ACCOUNT' },
  { path: 'bundles', parameter: 'bundleId', objectType: 'BUNDLE' },
  { path: 'subscriptions', parameter: 'subscriptionId', objectType: 'SUBSCRIPTION' },
  { path: 'invoices', parameter: 'invoiceId', objectType: 'INVOICE' },
  { path: 'invoiceItems', parameter: 'invoiceItemId', objectType: 'INVOICE_ITEM' },
  { path: 'invoicePayments', parameter: 'paymentId', objectType: 'INVOICE_PAYMENT' },
  { path: 'payments', parameter: 'paymentId', objectType: 'PAYMENT' },
  { path: 'paymentMethods', parameter: 'paymentMethodId', objectType: 'PAYMENT_METHOD' },
  { path: 'paymentTransactions', parameter: 'transactionId', objectType: 'TRANSACTION' },
] as const satisfies readonly {
  readonly path: string;
  readonly parameter: string;
  readonly objectType: TaggableObjectType;
}[];

export type Taggable = (typeof taggables)[number];

/** What another context has just made is told of within moments. */
const pausesMs = [20, 50, 100, 200, 400];

/** The object with its account, or Kill Bill's 404: an object of another tenant does not exist. */
export const existingObject = async (
  accounts: Accounts,
  tenantId: string,
  { objectType, id }: { readonly objectType: TaggableObjectType; readonly id: string },
): Promise<TaggedObject> => {
  if (objectType === 'ACCOUNT') {
    const { accountId } = await existingAccount(accounts, tenantId, id);
    return { accountId, objectType, objectId: accountId };
  }
  const objectId = parseUuid(id);
  const { database } = accounts.runtime;
  for (const wait of objectId === null ? [] : [0, ...pausesMs]) {
    if (wait > 0) await pause(wait);
    const accountId = await ownerOf(database, tenantId, { objectType, objectId: objectId ?? '' });
    if (accountId !== null && objectId !== null) return { accountId, objectType, objectId };
  }
  throw unknownObject(objectType, id);
};

const unknownObject = (objectType: TaggableObjectType, id: string) => {
  const [code, className] = unknown[objectType];
  return killBillProblem(404, code, className, `Object ${id} of type ${objectType} does not exist`);
};

/** Kill Bill's codes of things that do not exist. */
const unknown: Readonly<Record<TaggableObjectType, readonly [code: number, className: string]>> = {
  ACCOUNT: [3002, 'AccountApiException'],
  BUNDLE: [1081, 'SubscriptionApiException'],
  SUBSCRIPTION: [1082, 'SubscriptionApiException'],
  INVOICE: [4006, 'InvoiceApiException'],
  INVOICE_ITEM: [4011, 'InvoiceApiException'],
  INVOICE_PAYMENT: [4900, 'InvoiceApiException'],
  PAYMENT: [7020, 'PaymentApiException'],
  PAYMENT_METHOD: [7000, 'PaymentApiException'],
  TRANSACTION: [7020, 'PaymentApiException'],
};
