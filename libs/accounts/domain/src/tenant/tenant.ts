import { type Decider, accept, defineSchema, reject } from '@billstream/event-sourcing';

/** Who the accounts belong to. The secret is known as a salted hash alone; the edge makes and checks it. */
export type Tenant = {
  readonly tenantId: string;
  readonly apiKey: string;
  readonly secretHash: string;
  readonly externalKey: string;
  /** False: the tenant starts with an empty catalog instead of the server's default (Kill Bill's useGlobalDefault). */
  readonly useGlobalDefault: boolean;
};

export type TenantEvent =
  | { readonly type: 'TenantCreated'; readonly data: Tenant }
  /** The tenant's business time is wall time plus this many milliseconds from now on. */
  | { readonly type: 'TenantClockMoved'; readonly data: { readonly tenantId: string; readonly distanceMs: number } };

export type TenantState = { readonly tenant: Tenant; readonly distanceMs: number } | null;

export type TenantCommand =
  | {
      readonly type: 'CreateTenant';
      readonly data: Omit<Tenant, 'externalKey'> & { readonly externalKey: string | null };
    }
  | { readonly type: 'MoveClock'; readonly data: { readonly distanceMs: number } };

export type TenantRejection = { readonly code: 'tenant-exists' } | { readonly code: 'tenant-unknown' };

export const tenant: Decider<TenantCommand, TenantEvent, TenantState, TenantRejection> = {
  initial: null,
  decide: (command, state) => {
    switch (command.type) {
      case 'CreateTenant': {
        const { tenantId, externalKey } = command.data;
        if (state !== null) return reject({ code: 'tenant-exists' });
        return accept({ type: 'TenantCreated', data: { ...command.data, externalKey: externalKey ?? tenantId } });
      }
      case 'MoveClock': {
        if (state === null) return reject({ code: 'tenant-unknown' });
        const { distanceMs } = command.data;
        if (state.distanceMs === distanceMs) return accept();
        return accept({ type: 'TenantClockMoved', data: { tenantId: state.tenant.tenantId, distanceMs } });
      }
    }
  },
  evolve: (state, event) => {
    switch (event.type) {
      case 'TenantCreated':
        return { tenant: event.data, distanceMs: 0 };
      case 'TenantClockMoved':
        return state === null ? null : { ...state, distanceMs: event.data.distanceMs };
    }
  },
};

export const tenantSchema = defineSchema<TenantEvent>({
  TenantCreated: 'tenant.created.v1',
  TenantClockMoved: 'tenant.clock-moved.v1',
});
