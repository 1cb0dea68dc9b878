import type { HeldBack } from '@billstream/accounts-contracts';
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
  | { readonly type: 'TenantClockMoved'; readonly data: { readonly tenantId: string } & ClockPosition };

export type ClockPosition = { readonly distanceMs: number; readonly heldBack?: HeldBack };

export type TenantState = { readonly tenant: Tenant; readonly clock: ClockPosition } | null;

export type TenantCommand =
  | {
      readonly type: 'CreateTenant';
      readonly data: Omit<Tenant, 'externalKey'> & { readonly externalKey: string | null };
    }
  | { readonly type: 'MoveClock'; readonly data: ClockPosition };

export type TenantRejection = { readonly code: 'tenant-exists' } | { readonly code: 'tenant-unknown' };

const samePosition = (a: ClockPosition, b: ClockPosition): boolean =>
  a.distanceMs === b.distanceMs && a.heldBack?.after === b.heldBack?.after && a.heldBack?.until === b.heldBack?.until;

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
        if (samePosition(state.clock, command.data)) return accept();
        return accept({ type: 'TenantClockMoved', data: { tenantId: state.tenant.tenantId, ...command.data } });
      }
    }
  },
  evolve: (state, event) => {
    switch (event.type) {
      case 'TenantCreated':
        return { tenant: event.data, clock: { distanceMs: 0 } };
      case 'TenantClockMoved':
        return state === null ? null : { ...state, clock: event.data };
    }
  },
};

export const tenantSchema = defineSchema<TenantEvent>({
  TenantCreated: 'tenant.created.v1',
  TenantClockMoved: 'tenant.clock-moved.v1',
});
