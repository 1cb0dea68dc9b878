import type { AxiosResponse } from 'axios';
import type { AuditLog, CustomField, Tag } from 'killbill';
import { randomUUID } from 'node:crypto';
import { refusal } from './client';
import { type Customer, type Shop, by, uuid } from './shop';

/** An object that carries tags, custom fields or a history: how the client's methods call it, and one of its kind. */
type Carrier = {
  readonly name: string;
  readonly api: object;
  readonly id: string;
  /** What its tags are asked for with, beside its id. */
  readonly within?: readonly string[];
};

/** The client has the same methods for each kind of object under names of their own: `createBundleTags`, `getInvoiceTags`. */
const call = async <T>(api: object, method: string, ...args: readonly unknown[]): Promise<AxiosResponse<T>> => {
  const found = (api as Readonly<Record<string, ((...given: unknown[]) => Promise<AxiosResponse<T>>) | undefined>>)[
    method
  ];
  if (found === undefined) throw new Error(`the client has no ${method}`);
  return found.call(api, ...args);
};

/** The ids of a customer's first invoice and of the payment of it. */
const paidInvoiceOf = async ({ invoices, payments }: Shop, one: Customer) => {
  const [[invoice], [payment]] = [await invoices(one), await payments(one)];
  return {
    invoiceId: invoice?.invoiceId ?? '',
    invoiceItemId: invoice?.items?.[0]?.invoiceItemId ?? '',
    paymentId: payment?.paymentId ?? '',
    transactionId: payment?.transactions?.[0]?.transactionId ?? '',
  };
};

/** One object of every kind, all of one customer. */
const carriersOf = async (shop: Shop): Promise<readonly Carrier[]> => {
  const { kb, customer, subscribe } = shop;
  const one = await customer();
  const { subscriptionId = '', bundleId = '' } = await subscribe(one, 'pistol-monthly-notrial');
  const { invoiceId, invoiceItemId, paymentId, transactionId } = await paidInvoiceOf(shop, one);
  return [
    { name: 'Account', api: kb.account, id: one.accountId },
    { name: 'Bundle', api: kb.bundle, id: bundleId },
    { name: 'Subscription', api: kb.subscription, id: subscriptionId },
    { name: 'Invoice', api: kb.invoice, id: invoiceId },
    { name: 'InvoiceItem', api: kb.invoiceItem, id: invoiceItemId, within: [one.accountId] },
    { name: 'InvoicePayment', api: kb.invoicePayment, id: paymentId },
    { name: 'Payment', api: kb.payment, id: paymentId },
    { name: 'Transaction', api: kb.paymentTransaction, id: transactionId },
    { name: 'PaymentMethod', api: kb.paymentMethod, id: one.paymentMethodId },
  ];
};

const kinds = [
  ...['Account', 'Bundle', 'Subscription', 'Invoice', 'InvoiceItem'],
  ...['InvoicePayment', 'Payment', 'Transaction', 'PaymentMethod'],
];

const objectTypes = ['ACCOUNT', 'BUNDLE', 'SUBSCRIPTION', 'INVOICE', 'INVOICE_ITEM', 'PAYMENT', 'TRANSACTION'];

export const tagsAndFields = (shop: () => Shop): void => {
  let carriers: readonly Carrier[] = [];
  const carrier = (kind: string): Carrier => {
    const found = carriers.find(({ name }) => name === kind);
    if (found === undefined) throw new Error(kind);
    return found;
  };
  let definition = '';
  beforeAll(async () => {
    carriers = await carriersOf(shop());
    const made = await shop().kb.tagDefinition.createTagDefinition(
      { name: 'vip', description: 'treat well', applicableObjectTypes: objectTypes as unknown as never },
      by,
    );
    definition = made.data.id ?? '';
  }, 60_000);

  it.each(kinds.filter((kind) => kind !== 'PaymentMethod'))('tags: %s', async (kind) => {
    const { name, api, id, within = [] } = carrier(kind);
    const ofObject = async (): Promise<readonly (string | undefined)[]> =>
      (await call<Tag[]>(api, `get${name}Tags`, id, ...within)).data.map((tag) => tag.tagDefinitionName);
    expect((await call(api, `create${name}Tags`, [definition], id, by)).status).toBe(201);
    expect(await ofObject()).toEqual(['vip']);
    expect((await call(api, `delete${name}Tags`, id, by, [definition])).status).toBe(204);
    expect(await ofObject()).toEqual([]);
  });

  it.each(kinds)('custom fields: %s', async (kind) => {
    const { name, api, id } = carrier(kind);
    const read = async () => (await call<CustomField[]>(api, `get${name}CustomFields`, id)).data;
    const field = { name: `color-${kind}`, value: 'blue' };
    expect((await call(api, `create${name}CustomFields`, [field], id, by)).status).toBe(201);
    const [made] = await read();
    expect(made).toMatchObject({ ...field, customFieldId: uuid });
    const { customFieldId = '' } = made ?? {};
    const changed = [{ customFieldId, name: field.name, value: 'red' }];
    expect((await call(api, `modify${name}CustomFields`, changed, id, by)).status).toBe(204);
    expect((await read()).map(({ value }) => value)).toEqual(['red']);
    expect((await call(api, `delete${name}CustomFields`, id, by, [customFieldId])).status).toBe(204);
    expect(await read()).toEqual([]);
  });

  it('finds tags and fields of an account and of the tenant', async () => {
    const { kb } = shop();
    const { id } = carrier('Account');
    await kb.account.createAccountTags([definition], id, by);
    const [name, value] = [`key-${randomUUID()}`, randomUUID()];
    await kb.account.createAccountCustomFields([{ name, value }], id, by);
    const tags = [await kb.account.getAllTags(id), await kb.tag.searchTags('vip')];
    expect(tags.map(({ data }) => data.map(({ objectId }) => objectId))).toEqual([[id], [id]]);
    expect((await kb.tag.getTags(0, 1)).data).toHaveLength(1);
    const fields = [
      await kb.account.getAllCustomFields(id),
      await kb.customField.searchCustomFields(value),
      await kb.customField.searchCustomFieldsByTypeName('ACCOUNT', name, value),
    ];
    expect(fields.map(({ data }) => data.map((field) => field.value))).toEqual(fields.map(() => [value]));
    expect((await kb.customField.getCustomFields(0, 1)).data).toHaveLength(1);
  });

  it('keeps tag definitions', async () => {
    const { kb } = shop();
    expect((await kb.tagDefinition.getTagDefinition(definition)).data).toMatchObject({
      name: 'vip',
      isControlTag: false,
    });
    const names = (await kb.tagDefinition.getTagDefinitions()).data.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['vip', 'AUTO_PAY_OFF', 'WRITTEN_OFF']));
    expect(await refusal(kb.tagDefinition.deleteTagDefinition(definition, by))).toEqual([400, 3903]);
    const { data } = await kb.tagDefinition.createTagDefinition(
      { name: 'unused', description: 'nobody has it', applicableObjectTypes: ['ACCOUNT'] as unknown as never },
      by,
    );
    expect((await kb.tagDefinition.deleteTagDefinition(data.id ?? '', by)).status).toBe(204);
  });

  const written = (logs: AxiosResponse<AuditLog[]>): readonly unknown[] =>
    logs.data.map(({ changeType, changedBy }) => [changeType, changedBy]);

  it.each(kinds)('history: %s', async (kind) => {
    const { name, api, id } = carrier(kind);
    const logs = await call<AuditLog[]>(api, `get${name}AuditLogsWithHistory`, id);
    expect(written(logs)[0]).toEqual(['INSERT', expect.any(String)]);
  });

  it('history of what hangs on an object', async () => {
    const { kb } = shop();
    const { id } = carrier('Account');
    const [tag] = (await kb.account.getAccountTags(id)).data;
    const [field] = (await kb.account.getAccountCustomFields(id)).data;
    const histories = [
      await kb.tag.getTagAuditLogsWithHistory(tag?.tagId ?? ''),
      await kb.customField.getCustomFieldAuditLogsWithHistory(field?.customFieldId ?? ''),
      await kb.tagDefinition.getTagDefinitionAuditLogsWithHistory(definition),
    ];
    expect(histories.map((logs) => written(logs)[0])).toEqual(histories.map(() => ['INSERT', by]));
  });
};
