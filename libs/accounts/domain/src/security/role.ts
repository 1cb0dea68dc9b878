import { type Decider, accept, defineSchema, reject } from '@billstream/event-sourcing';

/** What those who have the role may do, as `parsePermission` keeps permissions. */
export type Role = { readonly role: string; readonly permissions: readonly string[] };

export type RoleEvent =
  { readonly type: 'RoleAdded'; readonly data: Role } | { readonly type: 'RoleChanged'; readonly data: Role };

export type RoleCommand =
  { readonly type: 'AddRole'; readonly data: Role } | { readonly type: 'ChangeRole'; readonly data: Role };

export type RoleState = Role | null;

export type RoleRejection = { readonly code: 'role-exists' } | { readonly code: 'role-unknown' };

/** One stream a role. */
export const role: Decider<RoleCommand, RoleEvent, RoleState, RoleRejection> = {
  initial: null,
  decide: ({ type, data }, known) => {
    if (type === 'AddRole')
      return known === null ? accept({ type: 'RoleAdded', data }) : reject({ code: 'role-exists' });
    return known === null ? reject({ code: 'role-unknown' }) : accept({ type: 'RoleChanged', data });
  },
  evolve: (_known, { data }) => data,
};

export const roleSchema = defineSchema<RoleEvent>({ RoleAdded: 'role.added.v1', RoleChanged: 'role.changed.v1' });
