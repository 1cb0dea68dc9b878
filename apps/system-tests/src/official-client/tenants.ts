import type { Overdue } from 'killbill';
import { randomUUID } from 'node:crypto';
import { officialClient, refusal } from './client';
import { type Shop, by } from './shop';

export const tenants = (shop: () => Shop): void => {
  it('makes tenants and finds them', async () => {
    const { kb, system, tenant, tenantId, called } = shop();
    expect((await kb.tenant.getTenant(tenantId)).data).toMatchObject({ tenantId, apiKey: tenant.apiKey });
    expect((await kb.tenant.getTenantByApiKey(tenant.apiKey)).data.tenantId).toBe(tenantId);
    const apiKey = randomUUID();
    // The client sends no tenant with this call, so its interceptor could not read the Location, here or at Kill Bill.
    const plain = officialClient({ url: system.url, tenant, called, follows: false });
    expect((await plain.tenant.createTenant({ apiKey, apiSecret: 'secret' }, by, true)).status).toBe(201);
    expect(await refusal(kb.tenant.createTenant({ apiKey, apiSecret: 'secret' }, by))).toEqual([409, 20000]);
  });

  it('keeps settings of the tenant, of plugins, and of its own', async () => {
    const { kb } = shop();
    const settings = JSON.stringify({ 'org.killbill.payment.retry.days': '8,8' });
    expect((await kb.tenant.uploadPerTenantConfiguration(settings, by)).status).toBe(201);
    expect((await kb.tenant.getPerTenantConfiguration()).data).toMatchObject({
      key: 'PER_TENANT_CONFIG',
      values: [settings],
    });
    expect((await kb.tenant.getAllPluginConfiguration('PER_TENANT')).data).toHaveLength(1);
    expect((await kb.tenant.deletePerTenantConfiguration(by)).status).toBe(204);

    await kb.tenant.uploadPluginConfiguration('a: 1', 'some-plugin', by);
    expect((await kb.tenant.getPluginConfiguration('some-plugin')).data).toMatchObject({
      ...{ key: 'PLUGIN_CONFIG_some-plugin', values: ['a: 1'] },
    });
    expect((await kb.tenant.deletePluginConfiguration('some-plugin', by)).status).toBe(204);

    await kb.tenant.uploadPluginPaymentStateMachineConfig('<stateMachine/>', 'some-plugin', by);
    expect((await kb.tenant.getPluginPaymentStateMachineConfig('some-plugin')).data.values).toEqual([
      '<stateMachine/>',
    ]);
    expect((await kb.tenant.deletePluginPaymentStateMachineConfig('some-plugin', by)).status).toBe(204);

    await kb.tenant.insertUserKeyValue('one', 'shop-key', by);
    await kb.tenant.insertUserKeyValue('two', 'shop-key', by);
    expect((await kb.tenant.getUserKeyValue('shop-key')).data.values).toEqual(['one', 'two']);
    expect((await kb.tenant.deleteUserKeyValue('shop-key', by)).status).toBe(204);
    expect((await kb.tenant.getUserKeyValue('shop-key')).data.values).toEqual([]);
  });

  it('registers who is to be told', async () => {
    const { kb } = shop();
    const callback = 'https://shop.example/events';
    expect((await kb.tenant.registerPushNotificationCallback(by, callback)).status).toBe(201);
    expect((await kb.tenant.getPushNotificationCallbacks()).data).toMatchObject({
      ...{ key: 'PUSH_NOTIFICATION_CB', values: [callback] },
    });
    expect((await kb.tenant.deletePushNotificationCallbacks(by)).status).toBe(204);
  });
};

const overdueXml = `<overdueConfig><accountOverdueStates>
  <initialReevaluationInterval><unit>DAYS</unit><number>5</number></initialReevaluationInterval>
  <state name="LATE"><condition><timeSinceEarliestUnpaidInvoiceEqualsOrExceeds><unit>DAYS</unit><number>5</number></timeSinceEarliestUnpaidInvoiceEqualsOrExceeds></condition>
  <externalMessage>Late</externalMessage><blockChanges>true</blockChanges><disableEntitlementAndChangesBlocked>false</disableEntitlementAndChangesBlocked>
  <autoReevaluationInterval><unit>DAYS</unit><number>5</number></autoReevaluationInterval></state>
</accountOverdueStates></overdueConfig>`;

export const overdue = (shop: () => Shop): void => {
  it('takes overdue states as XML and as JSON, and says where an account stands', async () => {
    const { kb, customer } = shop();
    const { accountId } = await customer();
    expect((await kb.overdue.uploadOverdueConfigXml(overdueXml, by)).status).toBe(201);
    expect((await kb.overdue.getOverdueConfigXml()).data).toContain('LATE');
    const { data } = await kb.overdue.getOverdueConfigJson();
    expect(data.overdueStates?.map(({ name }) => name)).toEqual(['LATE']);
    const later: Overdue = { ...data, initialReevaluationInterval: 7 };
    expect((await kb.overdue.uploadOverdueConfigJson(later, by)).status).toBe(201);
    expect((await kb.overdue.getOverdueConfigJson()).data.initialReevaluationInterval).toBe(7);
    expect((await kb.account.getOverdueAccount(accountId)).data).toMatchObject({
      ...{ name: '__KILLBILL__CLEAR__OVERDUE_STATE__', isClearState: true },
    });
  });
};

export const security = (shop: () => Shop): void => {
  it('keeps roles, users and what they may do', async () => {
    const { kb } = shop();
    const [role, username] = [`clerk-${randomUUID()}`, `user-${randomUUID()}`];
    expect((await kb.security.getCurrentUserPermissions()).data).toContain('account:create');
    expect((await kb.security.getCurrentUserSubject()).data).toMatchObject({
      principal: 'admin',
      isAuthenticated: true,
    });
    await kb.security.addRoleDefinition({ role, permissions: ['account:create'] }, by);
    await kb.security.updateRoleDefinition({ role, permissions: ['account:create', 'account:update'] }, by);
    const { permissions } = (await kb.security.getRoleDefinition(role)).data;
    expect([...permissions].sort()).toEqual(['account:create', 'account:update']);
    const user = { username, password: 'first-password', roles: [role] };
    expect((await kb.security.addUserRoles(user, by)).status).toBe(201);
    expect((await kb.security.getUserRoles(username)).data).toMatchObject({ username, roles: [role] });
    await kb.security.updateUserRoles({ ...user, roles: [] }, username, by);
    await kb.security.updateUserPassword({ ...user, password: 'second-password' }, username, by);
    expect((await kb.security.getUserRoles(username)).data.roles).toEqual([]);
    expect((await kb.security.invalidateUser(username, by)).status).toBe(204);
  });
};
