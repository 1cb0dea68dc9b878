import { type Decider, accept, defineSchema } from '@billstream/event-sourcing';

/** That there is such a tenant, from what accounts published: usage that comes by a tenant's id alone is asked for it. */
export type MeteredTenantEvent = { readonly type: 'TenantRecorded'; readonly data: { readonly tenantId: string } };
export type MeteredTenantCommand = { readonly type: 'RecordTenant'; readonly tenantId: string };

export const meteredTenantStream = (tenantId: string): string => `meteredTenant-${tenantId}`;

export const meteredTenant: Decider<MeteredTenantCommand, MeteredTenantEvent, { readonly isKnown: boolean }, never> = {
  initial: { isKnown: false },
  decide: ({ tenantId }, { isKnown }) =>
    isKnown ? accept() : accept<MeteredTenantEvent>({ type: 'TenantRecorded', data: { tenantId } }),
  evolve: () => ({ isKnown: true }),
};

export const meteredTenantSchema = defineSchema<MeteredTenantEvent>({
  TenantRecorded: 'metered-tenant.recorded.v1',
});
