import { type Decider, accept, defineSchema } from '@billstream/event-sourcing';

export type PluginConfigEvent =
  /** Sealed as accounts sealed it, bound to `<tenantId>/<pluginName>`; opened for the moment of a call only. */
  | {
      readonly type: 'PluginConfigRecorded';
      readonly data: { readonly tenantId: string; readonly pluginName: string; readonly sealedConfig: string };
    }
  | {
      readonly type: 'PluginConfigRemoved';
      readonly data: { readonly tenantId: string; readonly pluginName: string };
    };

export type RecordPluginConfig = {
  readonly type: 'RecordPluginConfig';
  readonly data: { readonly tenantId: string; readonly pluginName: string; readonly sealedConfig: string | null };
};

/** The sealed configuration; null when there is none. */
export type PluginConfig = string | null;

export const pluginConfig: Decider<RecordPluginConfig, PluginConfigEvent, PluginConfig, never> = {
  initial: null,
  decide: ({ data: { tenantId, pluginName, sealedConfig } }, state) => {
    if (sealedConfig === state) return accept();
    return sealedConfig === null
      ? accept({ type: 'PluginConfigRemoved', data: { tenantId, pluginName } })
      : accept({ type: 'PluginConfigRecorded', data: { tenantId, pluginName, sealedConfig } });
  },
  evolve: (_state, event) => {
    switch (event.type) {
      case 'PluginConfigRecorded':
        return event.data.sealedConfig;
      case 'PluginConfigRemoved':
        return null;
    }
  },
};

export const pluginConfigSchema = defineSchema<PluginConfigEvent>({
  PluginConfigRecorded: 'pluginConfig.recorded.v1',
  PluginConfigRemoved: 'pluginConfig.removed.v1',
});
