import {
  accountEmailsSchema,
  accountSchema,
  emptyProfile,
  figuresSchema,
  knownObjectsSchema,
  objectFieldsSchema,
  objectTagsSchema,
  profileSchema,
  pushNotificationSchema,
  roleSchema,
  tenantConfigSchema,
  tenantSchema,
  userSchema,
} from '@billstream/accounts-domain';
import type { RecordedEvent } from '@billstream/event-sourcing';
import { type Instant, derivedId, parseCurrency } from '@billstream/kernel';
import { type Database, openDatabase } from '@billstream/postgres';
import { type TestDatabase, testDatabase } from '@billstream/testing';
import {
  accountEmailsReadModel,
  accountsReadModel,
  auditReadModel,
  balancesReadModel,
  customFieldsReadModel,
  knownObjectsReadModel,
  pushNotificationsReadModel,
  securityReadModel,
  tagsReadModel,
  tenantValuesReadModel,
  tenantsReadModel,
} from './index';

const models = [
  accountsReadModel,
  balancesReadModel,
  tenantsReadModel,
  tenantValuesReadModel,
  accountEmailsReadModel,
  auditReadModel,
  customFieldsReadModel,
  knownObjectsReadModel,
  pushNotificationsReadModel,
  securityReadModel,
  tagsReadModel,
];
const at = '2026-01-01T00:00:00.000Z' as Instant;
const tenantId = derivedId('tenant');
const usd = parseCurrency('USD')!;

let server: TestDatabase;
let database: Database;
beforeAll(async () => {
  server = await testDatabase();
  database = openDatabase({ url: server.url, schema: 'public', applicationName: 'accounts-read-models' });
});
afterAll(async () => {
  await database.close();
  await server.drop();
});

type Form = { readonly type: string; readonly data: object };

/** Tags, fields, addresses, users and notifications: made, changed and gone again. */
const addObjects = (add: (stream: string, form: Form) => void): void => {
  const accountId = derivedId('one');
  const object = { accountId, objectType: 'ACCOUNT' as const, objectId: accountId };
  add(
    `accountObjects-${accountId}`,
    knownObjectsSchema.encode({ type: 'ObjectsRecorded', data: { accountId, objects: [object] } }),
  );
  for (const url of ['https://one.example', 'https://two.example'])
    add(
      `tenantConfig-${tenantId}`,
      tenantConfigSchema.encode({
        type: 'TenantValuesRecorded',
        data: { tenantId, key: 'PUSH_NOTIFICATION_CB', values: [url] },
      }),
    );
  for (const name of ['kept', 'gone']) {
    const tag = { ...object, tagId: derivedId('tag', name), tagDefinitionId: derivedId(name), tagDefinitionName: name };
    add(`objectTags-${accountId}`, objectTagsSchema.encode({ type: 'TagAdded', data: tag }));
    if (name === 'gone') add(`objectTags-${accountId}`, objectTagsSchema.encode({ type: 'TagRemoved', data: tag }));
    const field = { ...object, customFieldId: derivedId('field', name), name, value: '1' };
    add(`objectFields-${accountId}`, objectFieldsSchema.encode({ type: 'CustomFieldAdded', data: field }));
    add(
      `objectFields-${accountId}`,
      objectFieldsSchema.encode({ type: 'CustomFieldChanged', data: { ...field, value: '2' } }),
    );
    if (name === 'gone')
      add(`objectFields-${accountId}`, objectFieldsSchema.encode({ type: 'CustomFieldRemoved', data: field }));
    const email = { accountId, accountEmailId: derivedId('email', name), email: `${name}@example.com` };
    add(`accountEmails-${accountId}`, accountEmailsSchema.encode({ type: 'EmailAdded', data: email }));
    if (name === 'gone')
      add(`accountEmails-${accountId}`, accountEmailsSchema.encode({ type: 'EmailRemoved', data: email }));
    const user = { userName: name, passwordHash: 'h', roles: ['r'] };
    add(`user-${name}`, userSchema.encode({ type: 'UserAdded', data: user }));
    if (name === 'gone') add(`user-${name}`, userSchema.encode({ type: 'UserInvalidated', data: user }));
    const notificationId = `notification-${name}`;
    const body = { eventType: 'X', accountId, objectType: 'ACCOUNT', objectId: accountId, metaData: null };
    add(
      `pushNotification-${name}`,
      pushNotificationSchema.encode({ type: 'NotificationRequested', data: { notificationId, body } }),
    );
    const retryAt = '2026-02-01T00:00:00.000Z' as Instant;
    add(
      `pushNotification-${name}`,
      pushNotificationSchema.encode({ type: 'NotificationFailed', data: { notificationId, reason: 'r', retryAt } }),
    );
    if (name === 'gone')
      add(
        `pushNotification-${name}`,
        pushNotificationSchema.encode({ type: 'NotificationDelivered', data: { notificationId } }),
      );
  }
  add('role-r', roleSchema.encode({ type: 'RoleAdded', data: { role: 'r', permissions: ['tag:*'] } }));
};

const log = (): readonly RecordedEvent[] => {
  const events: RecordedEvent[] = [];
  const add = (stream: string, form: { readonly type: string; readonly data: object }): void => {
    const position = BigInt(events.length);
    const metadata = {
      $correlationId: 'c',
      $causationId: 'c',
      commandId: 'c',
      tenantId,
      actor: { createdBy: 'x' },
      at,
      recordedAt: at,
    };
    events.push({ ...form, id: derivedId(String(position)), stream, revision: 0n, position, metadata });
  };
  add(
    `tenant-${tenantId}`,
    tenantSchema.encode({
      type: 'TenantCreated',
      data: { tenantId, apiKey: 'k', secretHash: 'h', externalKey: 'e', useGlobalDefault: true },
    }),
  );
  for (const name of ['one', 'two', 'three']) {
    const accountId = derivedId(name);
    const account = {
      accountId,
      externalKey: name,
      currency: usd,
      timeZone: 'Etc/UTC',
      referenceTime: at,
      billCycleDayLocal: 0,
      parentAccountId: null,
      isPaymentDelegatedToParent: false,
      isMigrated: false,
    };
    add(
      `accountProfile-${accountId}`,
      profileSchema.encode({ type: 'ProfileRecorded', data: { accountId, ...emptyProfile, name } }),
    );
    add(`account-${accountId}`, accountSchema.encode({ type: 'AccountCreated', data: account }));
    add(
      `account-${accountId}`,
      accountSchema.encode({ type: 'BillCycleDaySet', data: { ...account, billCycleDayLocal: 3 } }),
    );
    for (const balanceMinor of [100, 200])
      add(
        `accountFigures-${accountId}`,
        figuresSchema.encode({
          type: 'BalanceRecorded',
          data: { accountId, currency: usd, balanceMinor, creditMinor: 0 },
        }),
      );
    add(
      `accountFigures-${accountId}`,
      figuresSchema.encode({
        type: 'DefaultPaymentMethodSet',
        data: { accountId, paymentMethodId: derivedId('pm', name) },
      }),
    );
  }
  add(
    `accountProfile-${derivedId('two')}`,
    profileSchema.encode({ type: 'ProfileErased', data: { accountId: derivedId('two') } }),
  );
  for (const distanceMs of [1, 2])
    add(`tenant-${tenantId}`, tenantSchema.encode({ type: 'TenantClockMoved', data: { tenantId, distanceMs } }));
  const config = `tenantConfig-${tenantId}`;
  add(
    config,
    tenantConfigSchema.encode({ type: 'PluginConfigUploaded', data: { tenantId, pluginName: 'p', sealedConfig: 's' } }),
  );
  add(
    config,
    tenantConfigSchema.encode({ type: 'TenantValuesRecorded', data: { tenantId, key: 'p', values: ['1', '2'] } }),
  );
  add(
    config,
    tenantConfigSchema.encode({ type: 'PerTenantConfigUploaded', data: { tenantId, text: '{}', settings: {} } }),
  );
  add(config, tenantConfigSchema.encode({ type: 'PluginConfigRemoved', data: { tenantId, pluginName: 'p' } }));
  addObjects(add);
  return events;
};

/** Everything in the tables after the log came in batches of a size. */
const tablesAfter = async (size: number): Promise<object> => {
  const events = log();
  const schema = `batches_of_${size}`;
  await database.query(`create schema ${schema}`);
  const shadow = database.withSchema(schema);
  for (const model of models) await shadow.query(model.ddl);
  for (let from = 0; from < events.length; from += size)
    for (const model of models) {
      const batch = events
        .slice(from, from + size)
        .filter(({ stream }) => model.prefixes.some((prefix) => stream.startsWith(prefix)));
      if (batch.length > 0) await shadow.transaction((tx) => model.apply(tx, batch));
    }
  const tables = models.flatMap((model) => model.tables);
  const rows = await Promise.all(
    tables.map((table) => shadow.query(`select * from ${table} as row order by row::text collate "C"`)),
  );
  return Object.fromEntries(tables.map((table, index) => [table, rows[index]]));
};

it('gives the same tables from the log in one batch, event by event, and in between', async () => {
  const whole = await tablesAfter(1_000);
  expect(await tablesAfter(1)).toEqual(whole);
  expect(await tablesAfter(4)).toEqual(whole);
  expect(whole).toMatchObject({
    accounts: [{ bill_cycle_day_local: 3 }, { bill_cycle_day_local: 3 }, { bill_cycle_day_local: 3 }],
    tenant_clocks: [{ distance_ms: 2n, held_until: null }],
    tenant_values: [{ kind: 'config' }, { kind: 'value' }, { kind: 'value', texts: ['1', '2'] }],
    users: [{ user_name: 'kept' }],
    account_emails: [{ email: 'kept@example.com' }],
    push_callbacks: [{ url: 'https://two.example' }],
  });
}, 30_000);
