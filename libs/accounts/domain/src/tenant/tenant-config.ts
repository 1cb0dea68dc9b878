import { type Decider, accept, defineSchema } from '@billstream/event-sourcing';

/** Kill Bill's name of the value that holds a tenant's own settings. */
export const perTenantConfigKey = 'PER_TENANT_CONFIG';

/** Kill Bill's name of the value that holds the URL of the tenant's callback. */
export const pushCallbackKey = 'PUSH_NOTIFICATION_CB';

/** Settings of a tenant as the services read them, e.g. `org.killbill.payment.retry.days` to `1,3`. */
export type TenantSettings = Readonly<Record<string, string>>;

export type TenantConfigEvent =
  /** `sealedConfig` opens only with the platform's secrets key. A new upload replaces the old one. */
  | {
      readonly type: 'PluginConfigUploaded';
      readonly data: { readonly tenantId: string; readonly pluginName: string; readonly sealedConfig: string };
    }
  | { readonly type: 'PluginConfigRemoved'; readonly data: { readonly tenantId: string; readonly pluginName: string } }
  /** `text` as it came in; `settings` as it was understood. */
  | {
      readonly type: 'PerTenantConfigUploaded';
      readonly data: { readonly tenantId: string; readonly text: string; readonly settings: TenantSettings };
    }
  | { readonly type: 'PerTenantConfigRemoved'; readonly data: { readonly tenantId: string } }
  /** All values of the key, oldest first. */
  | {
      readonly type: 'TenantValuesRecorded';
      readonly data: { readonly tenantId: string; readonly key: string; readonly values: readonly string[] };
    }
  | { readonly type: 'TenantValuesRemoved'; readonly data: { readonly tenantId: string; readonly key: string } };

export type TenantConfigCommand =
  | {
      readonly type: 'UploadPluginConfig';
      readonly data: { readonly tenantId: string; readonly pluginName: string; readonly sealedConfig: string };
    }
  | { readonly type: 'RemovePluginConfig'; readonly data: { readonly tenantId: string; readonly pluginName: string } }
  | {
      readonly type: 'UploadPerTenantConfig';
      readonly data: { readonly tenantId: string; readonly text: string; readonly settings: TenantSettings };
    }
  | { readonly type: 'RemovePerTenantConfig'; readonly data: { readonly tenantId: string } }
  /** A user's key gathers values; the keys Kill Bill defines hold one, which the next replaces. */
  | {
      readonly type: 'RecordTenantValue';
      readonly data: {
        readonly tenantId: string;
        readonly key: string;
        readonly value: string;
        readonly gathers: boolean;
      };
    }
  | { readonly type: 'RemoveTenantValues'; readonly data: { readonly tenantId: string; readonly key: string } };

export type TenantConfigState = {
  readonly plugins: ReadonlySet<string>;
  readonly configured: boolean;
  readonly values: ReadonlyMap<string, readonly string[]>;
};

/** Removing what is not there is done already: nothing is refused, nothing is recorded. */
export const tenantConfig: Decider<TenantConfigCommand, TenantConfigEvent, TenantConfigState, never> = {
  initial: { plugins: new Set(), configured: false, values: new Map() },
  decide: (command, state) => {
    switch (command.type) {
      case 'UploadPluginConfig':
        return accept({ type: 'PluginConfigUploaded', data: command.data });
      case 'RemovePluginConfig':
        return state.plugins.has(command.data.pluginName)
          ? accept({ type: 'PluginConfigRemoved', data: command.data })
          : accept();
      case 'UploadPerTenantConfig':
        return accept({ type: 'PerTenantConfigUploaded', data: command.data });
      case 'RemovePerTenantConfig':
        return state.configured ? accept({ type: 'PerTenantConfigRemoved', data: command.data }) : accept();
      case 'RecordTenantValue': {
        const { tenantId, key, value, gathers } = command.data;
        const earlier = gathers ? (state.values.get(key) ?? []) : [];
        return accept({ type: 'TenantValuesRecorded', data: { tenantId, key, values: [...earlier, value] } });
      }
      case 'RemoveTenantValues':
        return state.values.has(command.data.key)
          ? accept({ type: 'TenantValuesRemoved', data: command.data })
          : accept();
    }
  },
  evolve: (state, event) => {
    switch (event.type) {
      case 'PluginConfigUploaded':
        return { ...state, plugins: new Set([...state.plugins, event.data.pluginName]) };
      case 'PluginConfigRemoved':
        return { ...state, plugins: new Set([...state.plugins].filter((name) => name !== event.data.pluginName)) };
      case 'PerTenantConfigUploaded':
        return { ...state, configured: true };
      case 'PerTenantConfigRemoved':
        return { ...state, configured: false };
      case 'TenantValuesRecorded':
        return { ...state, values: new Map([...state.values, [event.data.key, event.data.values]]) };
      case 'TenantValuesRemoved':
        return { ...state, values: new Map([...state.values].filter(([key]) => key !== event.data.key)) };
    }
  },
};

export const tenantConfigSchema = defineSchema<TenantConfigEvent>({
  PluginConfigUploaded: 'tenantConfig.plugin-config-uploaded.v1',
  PluginConfigRemoved: 'tenantConfig.plugin-config-removed.v1',
  PerTenantConfigUploaded: 'tenantConfig.per-tenant-config-uploaded.v1',
  PerTenantConfigRemoved: 'tenantConfig.per-tenant-config-removed.v1',
  TenantValuesRecorded: 'tenantConfig.values-recorded.v1',
  TenantValuesRemoved: 'tenantConfig.values-removed.v1',
});
