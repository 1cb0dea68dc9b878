import type { HeldBack } from '@billstream/accounts-contracts';
import { specificationOf } from '@billstream/event-sourcing/testing';
import { tenant } from './tenant';
import { tenantConfig } from './tenant-config';

const tenantId = 't';
const keys = { tenantId, apiKey: 'admin', secretHash: 'scrypt$…', useGlobalDefault: true };

describe('a tenant', () => {
  const { given } = specificationOf(tenant);
  const created = { type: 'TenantCreated' as const, data: { ...keys, externalKey: tenantId } };
  const move = (distanceMs: number) => ({ type: 'MoveClock' as const, data: { distanceMs } });

  it('is its own external key unless it is given one', () => {
    given()
      .when({ type: 'CreateTenant', data: { ...keys, externalKey: null } })
      .then(created);
    given()
      .when({ type: 'CreateTenant', data: { ...keys, externalKey: 'shop' } })
      .then({ type: 'TenantCreated', data: { ...keys, externalKey: 'shop' } });
  });
  it('is created once', () => {
    given(created)
      .when({ type: 'CreateTenant', data: { ...keys, externalKey: null } })
      .thenRejected({ code: 'tenant-exists' });
  });
  it('has a clock that moves both ways, and says so only when it moved', () => {
    const moved = (distanceMs: number) => ({ type: 'TenantClockMoved' as const, data: { tenantId, distanceMs } });
    given(created).when(move(86_400_000)).then(moved(86_400_000));
    given(created, moved(86_400_000)).when(move(-5)).then(moved(-5));
    given(created).when(move(0)).thenNothing();
  });
  it('holds back due work until its clock has moved through it', () => {
    const heldBack = { after: '2026-01-01T00:00:00.000Z', until: '2026-02-01T00:00:00.000Z' } as HeldBack;
    const position = { distanceMs: 5, heldBack };
    const moved = { type: 'TenantClockMoved' as const, data: { tenantId, ...position } };
    given(created).when({ type: 'MoveClock', data: position }).then(moved);
    given(created, moved).when({ type: 'MoveClock', data: position }).thenNothing();
    given(created, moved)
      .when(move(5))
      .then({ type: 'TenantClockMoved', data: { tenantId, distanceMs: 5 } });
  });
  it('has no clock before it exists', () => {
    given().when(move(1)).thenRejected({ code: 'tenant-unknown' });
  });
});

describe('a tenant’s configuration', () => {
  const { given } = specificationOf(tenantConfig);
  const values = (...texts: string[]) => ({
    type: 'TenantValuesRecorded' as const,
    data: { tenantId, key: 'colour', values: texts },
  });
  const record = (value: string, gathers: boolean) => ({
    type: 'RecordTenantValue' as const,
    data: { tenantId, key: 'colour', value, gathers },
  });

  it('gathers the values of a user’s key and replaces those of a key that holds one', () => {
    given(values('red')).when(record('blue', true)).then(values('red', 'blue'));
    given(values('red')).when(record('blue', false)).then(values('blue'));
  });
  it('removes what is there and is silent about what is not', () => {
    const removed = { type: 'TenantValuesRemoved' as const, data: { tenantId, key: 'colour' } };
    given(values('red'))
      .when({ type: 'RemoveTenantValues', data: { tenantId, key: 'colour' } })
      .then(removed);
    given(values('red'), removed)
      .when({ type: 'RemoveTenantValues', data: { tenantId, key: 'colour' } })
      .thenNothing();
    given()
      .when({ type: 'RemovePluginConfig', data: { tenantId, pluginName: 'p' } })
      .thenNothing();
    given().when({ type: 'RemovePerTenantConfig', data: { tenantId } }).thenNothing();
  });
  it('removes a plugin’s configuration once', () => {
    const uploaded = {
      type: 'PluginConfigUploaded' as const,
      data: { tenantId, pluginName: 'p', sealedConfig: 'v1…' },
    };
    const removed = { type: 'PluginConfigRemoved' as const, data: { tenantId, pluginName: 'p' } };
    given(uploaded)
      .when({ type: 'RemovePluginConfig', data: { tenantId, pluginName: 'p' } })
      .then(removed);
    given(uploaded, removed)
      .when({ type: 'RemovePluginConfig', data: { tenantId, pluginName: 'p' } })
      .thenNothing();
  });
});
