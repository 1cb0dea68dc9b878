import { type UserEvent, roleSchema, userSchema } from '@billstream/accounts-domain';
import type { ReadModel, Sql } from '@billstream/postgres';

const ddl = `
create table users (
  user_name text primary key,
  password_hash text not null,
  roles jsonb not null
);
create table roles (
  role text primary key,
  permissions jsonb not null
);
`;

const upsertRole = `
insert into roles values ($1, $2::jsonb) on conflict (role) do update set permissions = excluded.permissions`;
const addUser = `
insert into users values ($1, $2, $3::jsonb)
on conflict (user_name) do update set password_hash = excluded.password_hash, roles = excluded.roles`;

/** Who may log in, and what their roles let them do. These events are rare, so that each is a statement of its own. */
export const securityReadModel: ReadModel = {
  name: 'security',
  tables: ['users', 'roles'],
  ddl,
  prefixes: ['user-', 'role-'],
  apply: async (tx, events) => {
    for (const recorded of events) {
      const role = roleSchema.decode(recorded)?.data;
      if (role) await tx.query(upsertRole, [role.role, JSON.stringify(role.permissions)], 'role-upsert');
      const event = userSchema.decode(recorded);
      if (event !== null) await applyUser(tx, event);
    }
  },
};

const applyUser = async (tx: Sql, { type, data }: UserEvent): Promise<void> => {
  switch (type) {
    case 'UserAdded':
      await tx.query(addUser, [data.userName, data.passwordHash, JSON.stringify(data.roles)], 'user-add');
      return;
    case 'UserPasswordChanged': {
      const values = [data.userName, data.passwordHash];
      await tx.query('update users set password_hash = $2 where user_name = $1', values, 'user-password');
      return;
    }
    case 'UserRolesChanged': {
      const values = [data.userName, JSON.stringify(data.roles)];
      await tx.query('update users set roles = $2::jsonb where user_name = $1', values, 'user-roles');
      return;
    }
    case 'UserInvalidated':
      await tx.query('delete from users where user_name = $1', [data.userName], 'user-delete');
  }
};

export type UserView = {
  readonly userName: string;
  readonly passwordHash: string;
  readonly roles: readonly string[];
  /** What all their roles together allow, as roles say it: `*` and `<group>:*` are not taken apart. */
  readonly permissions: readonly string[];
};

const userByNameSql = `
select user_name as "userName", password_hash as "passwordHash", roles,
  coalesce((select jsonb_agg(distinct permission order by permission)
    from roles, jsonb_array_elements_text(roles.permissions) as permission
    where users.roles ? roles.role), '[]') as permissions
from users where user_name = $1`;

export const userByName = async (sql: Sql, userName: string): Promise<UserView | null> =>
  (await sql.query<UserView>(userByNameSql, [userName], 'user-by-name'))[0] ?? null;

export type RoleView = { readonly role: string; readonly permissions: readonly string[] };

export const allRoles = (sql: Sql): Promise<readonly RoleView[]> =>
  sql.query<RoleView>('select role, permissions from roles order by role', [], 'roles');

export const roleByName = async (sql: Sql, role: string): Promise<RoleView | null> =>
  (await sql.query<RoleView>('select role, permissions from roles where role = $1', [role], 'role-by-name'))[0] ?? null;
