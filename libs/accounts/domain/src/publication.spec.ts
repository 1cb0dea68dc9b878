import { type DomainEvent, type RecordedEvent, type Schema, memoryEventStore } from '@billstream/event-sourcing';
import { commandHandler } from '@billstream/event-sourcing';
import { type Instant, parseCurrency } from '@billstream/kernel';
import { accountSchema } from './account/account';
import { profileSchema } from './account/profile';
import { figures, figuresSchema } from './account/figures';
import { accountKeySchema, keyClaim } from './key-claim';
import { accountsPublication } from './publication';
import {
  accountKeyStream,
  accountStream,
  objectTagsStream,
  profileStream,
  tenantConfigStream,
  tenantStream,
} from './streams';
import { parkTagId } from './tag/control-tags';
import { objectTagsSchema } from './tag/object-tags';
import { tenantConfigSchema } from './tenant/tenant-config';
import { tenantSchema } from './tenant/tenant';

const at = '2018-10-06T10:01:20.000Z' as Instant;
const context = { commandId: 'c', tenantId: 't', actor: { createdBy: 'admin' }, at, correlationId: 'c' };

const recorded = <E extends DomainEvent>(schema: Schema<E>, stream: string, event: E): RecordedEvent => ({
  ...schema.encode(event),
  id: 'e',
  stream,
  revision: 0n,
  position: 0n,
  metadata: {
    $correlationId: 'c',
    $causationId: 'c',
    commandId: 'c',
    tenantId: 't',
    actor: { createdBy: 'admin' },
    at,
    recordedAt: at,
  },
});
const facts = {
  accountId: 'a',
  externalKey: 'k',
  currency: parseCurrency('USD'),
  timeZone: 'Etc/UTC',
  referenceTime: at,
  billCycleDayLocal: 1,
  parentAccountId: null,
  isPaymentDelegatedToParent: false,
};

describe('what others hear of accounts', () => {
  it('is an account’s terms, when they are made and when they change', () => {
    const data = { ...facts, isMigrated: false };
    const said = (type: 'AccountCreated' | 'AccountUpdated' | 'BillCycleDaySet') =>
      accountsPublication(recorded(accountSchema, accountStream('a'), { type, data }));
    expect(said('AccountCreated')).toEqual([{ type: 'accounts.account-created.v1', key: 'a', data: facts }]);
    expect(said('AccountUpdated')).toEqual([{ type: 'accounts.account-updated.v1', key: 'a', data: facts }]);
    expect(said('BillCycleDaySet')).toEqual([{ type: 'accounts.account-updated.v1', key: 'a', data: facts }]);
  });
  it('is that somebody unparked an account, and not that the platform did', () => {
    const object = { accountId: 'a', objectType: 'ACCOUNT' as const, objectId: 'a' };
    const data = { ...object, tagId: 'p', tagDefinitionId: parkTagId, tagDefinitionName: '__PARK__' };
    const said = (by: { readonly bySystem?: true }) =>
      accountsPublication(
        recorded(objectTagsSchema, objectTagsStream('a'), { type: 'TagRemoved', data: { ...data, ...by } }),
      );
    expect(said({})).toMatchObject([{ type: 'accounts.account-unparked.v1', data: { accountId: 'a' } }]);
    expect(said({ bySystem: true })).toEqual([]);
  });
  it('never holds a tenant’s secret', () => {
    const data = { tenantId: 't', apiKey: 'admin', secretHash: 'scrypt$…', externalKey: 't', useGlobalDefault: true };
    const said = accountsPublication(recorded(tenantSchema, tenantStream('t'), { type: 'TenantCreated', data }));
    expect(said).toEqual([
      {
        type: 'accounts.tenant-created.v1',
        key: 't',
        data: { tenantId: 't', apiKey: 'admin', externalKey: 't', useGlobalDefault: true },
      },
    ]);
  });
  it('holds a plugin’s configuration sealed, and null once it is removed', () => {
    const stream = tenantConfigStream('t');
    const data = { tenantId: 't', pluginName: 'p', sealedConfig: 'v1.x' };
    expect(accountsPublication(recorded(tenantConfigSchema, stream, { type: 'PluginConfigUploaded', data }))).toEqual([
      { type: 'accounts.plugin-configured.v1', key: 't', data },
    ]);
    expect(
      accountsPublication(
        recorded(tenantConfigSchema, stream, { type: 'PluginConfigRemoved', data: { tenantId: 't', pluginName: 'p' } }),
      ),
    ).toEqual([
      { type: 'accounts.plugin-configured.v1', key: 't', data: { tenantId: 't', pluginName: 'p', sealedConfig: null } },
    ]);
  });
  it('is nothing about people', () => {
    const erased = recorded(profileSchema, profileStream('a'), { type: 'ProfileErased', data: { accountId: 'a' } });
    expect(accountsPublication(erased)).toEqual([]);
  });
});

describe('a key', () => {
  it('belongs to the first who claims it, and says to whom', async () => {
    const handle = commandHandler({ store: memoryEventStore(), decider: keyClaim, schema: accountKeySchema });
    const stream = accountKeyStream('t', 'tester@example.com');
    const claim = (ownerId: string, commandId: string) =>
      handle(stream, { type: 'ClaimKey', data: { ownerId } }, { ...context, commandId });
    expect(await claim('first', '1')).toMatchObject({ outcome: 'accepted' });
    expect(await claim('second', '2')).toEqual({
      outcome: 'rejected',
      rejection: { code: 'key-taken', ownerId: 'first' },
    });
    expect(await claim('first', '3')).toMatchObject({ outcome: 'accepted', events: [] });
  });
  it('of one tenant is not that of another', () => {
    expect(accountKeyStream('a', 'bc')).not.toBe(accountKeyStream('ab', 'c'));
  });
});

describe('figures', () => {
  it('record what others told, once', async () => {
    const handle = commandHandler({ store: memoryEventStore(), decider: figures, schema: figuresSchema });
    const usd = parseCurrency('USD');
    if (usd === null) throw new Error('USD is a currency');
    const record = (balanceMinor: number, commandId: string) =>
      handle(
        'accountFigures-a',
        { type: 'RecordBalance', data: { accountId: 'a', currency: usd, balanceMinor, creditMinor: 0 } },
        { ...context, commandId },
      );
    expect(await record(2_000, '1')).toMatchObject({ outcome: 'accepted', events: [{ type: 'BalanceRecorded' }] });
    expect(await record(2_000, '2')).toMatchObject({ outcome: 'accepted', events: [] });
  });
});
