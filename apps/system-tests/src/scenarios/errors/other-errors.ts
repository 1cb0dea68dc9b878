import { randomUUID } from 'node:crypto';
import { type Case, ask, done, made, nobody, stage } from './stage';

/** Of accounts, tags, custom fields, payments and tenants. */
export const otherErrors: readonly Case[] = [
  [5, 400, 'a key of 256 characters', () => ask('POST', '/accounts', { externalKey: 'k'.repeat(256) })],
  [3000, 409, 'an account key in use', () => ask('POST', '/accounts', { externalKey: stage.one.externalKey })],
  [3002, 404, 'an unknown account', () => ask('GET', `/accounts/${nobody}`)],
  [3003, 404, 'an unknown account key', () => ask('GET', '/accounts?externalKey=none')],
  [3009, 400, 'credit moved to no parent', () => ask('PUT', `/accounts/${stage.one.accountId}/transferCredit`)],
  [
    3900,
    409,
    'a tag definition named as a control tag',
    () =>
      ask('POST', '/tagDefinitions', { name: 'AUTO_PAY_OFF', description: 'd', applicableObjectTypes: ['ACCOUNT'] }),
  ],
  [
    3901,
    409,
    'a tag definition that is there',
    async () => {
      const definition = {
        name: `t${randomUUID().slice(0, 12)}`,
        description: 'd',
        applicableObjectTypes: ['ACCOUNT'],
      };
      await made('/tagDefinitions', definition);
      return ask('POST', '/tagDefinitions', definition);
    },
  ],
  [3902, 404, 'an unknown tag definition', () => ask('DELETE', `/tagDefinitions/${nobody}`)],
  [
    3903,
    400,
    'a tag definition in use',
    async () => {
      const id = await made('/tagDefinitions', {
        name: `t${randomUUID().slice(0, 12)}`,
        description: 'd',
        applicableObjectTypes: ['ACCOUNT'],
      });
      await done('POST', `/accounts/${stage.one.accountId}/tags`, [id]);
      return ask('DELETE', `/tagDefinitions/${id}`);
    },
  ],
  [
    3904,
    400,
    'a tag definition in capitals',
    () => ask('POST', '/tagDefinitions', { name: 'Capital', description: 'd', applicableObjectTypes: ['ACCOUNT'] }),
  ],
  [
    3950,
    404,
    'a tag that is not there',
    () => ask('DELETE', `/accounts/${stage.one.accountId}/tags?tagDef=00000000-0000-0000-0000-000000000006`),
  ],
  [7000, 404, 'an unknown payment method', () => ask('GET', `/paymentMethods/${nobody}`)],
  [7020, 404, 'an unknown payment', () => ask('GET', `/payments/${nobody}`)],
  [
    7021,
    404,
    'a payment without a default method',
    async () =>
      ask('POST', `/accounts/${await made('/accounts', { currency: 'USD' })}/payments`, {
        transactionType: 'PURCHASE',
        amount: 1,
        currency: 'USD',
      }),
  ],
  [7022, 400, 'the default method taken away', () => ask('DELETE', `/paymentMethods/${stage.one.paymentMethodId}`)],
  [
    7023,
    400,
    'a key of a payment method in use',
    async () => {
      const method = {
        pluginName: 'killbill-payment-test',
        externalKey: `m-${randomUUID()}`,
        pluginInfo: { properties: [] },
      };
      await made(`/accounts/${stage.one.accountId}/paymentMethods`, method);
      return ask('POST', `/accounts/${stage.one.accountId}/paymentMethods`, method);
    },
  ],
  [7024, 404, 'an unknown transaction', () => ask('GET', `/paymentTransactions/${nobody}`)],
  [
    7028,
    400,
    'an unknown plugin',
    () => ask('POST', `/accounts/${stage.one.accountId}/paymentMethods`, { pluginName: 'none', pluginInfo: {} }),
  ],
  [
    7030,
    400,
    'a key of another payment’s transaction',
    async () => {
      const purchase = {
        transactionType: 'PURCHASE',
        amount: 1,
        currency: 'USD',
        transactionExternalKey: `x-${randomUUID()}`,
      };
      await made(`/accounts/${stage.one.accountId}/payments`, purchase);
      return ask('POST', `/accounts/${stage.one.accountId}/payments`, {
        ...purchase,
        paymentExternalKey: randomUUID(),
      });
    },
  ],
  [
    7033,
    400,
    'another account’s payment method',
    async () =>
      ask(
        'PUT',
        `/accounts/${await made('/accounts', { currency: 'USD' })}/paymentMethods/${stage.one.paymentMethodId}/setDefault`,
      ),
  ],
  [
    9000,
    400,
    'a custom field twice',
    async () => {
      await done('POST', `/accounts/${stage.one.accountId}/customFields`, [{ name: 'twice', value: '1' }]);
      return ask('POST', `/accounts/${stage.one.accountId}/customFields`, [{ name: 'twice', value: '2' }]);
    },
  ],
  [
    9001,
    400,
    'an unknown custom field',
    () => ask('PUT', `/accounts/${stage.one.accountId}/customFields`, [{ customFieldId: nobody, value: '2' }]),
  ],
  [20000, 409, 'a tenant’s key in use', () => ask('POST', '/tenants', stage.shop.tenant)],
  [20001, 404, 'an unknown tenant', () => ask('GET', `/tenants/${nobody}`)],
  [
    3953,
    400,
    'a tag of the system',
    () => ask('POST', `/accounts/${stage.one.accountId}/tags`, ['00000000-0000-0001-0000-000000000001']),
  ],
  [7032, 400, 'a capture of what was not authorised', () => ask('POST', `/payments/${stage.paymentId}`, { amount: 1 })],
  [
    9002,
    400,
    'another name for a custom field',
    async () => {
      await done('POST', `/accounts/${stage.one.accountId}/customFields`, [{ name: 'named', value: '1' }]);
      const answer = await ask('GET', `/accounts/${stage.one.accountId}/customFields`);
      const fields = answer.json<readonly { name: string; customFieldId: string }[]>();
      const customFieldId = fields.find(({ name }) => name === 'named')?.customFieldId;
      return ask('PUT', `/accounts/${stage.one.accountId}/customFields`, [
        { customFieldId, name: 'renamed', value: '1' },
      ]);
    },
  ],
  [20002, 404, 'an unknown tenant key', () => ask('GET', '/tenants?apiKey=none')],
];
