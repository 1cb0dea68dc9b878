import { expandPermissions, parsePermission, permissions } from './permissions';
import { role } from './role';
import { user } from './user';

describe('a permission', () => {
  it.each([
    ['account:create', 'account:create'],
    [' Account:CREATE ', 'account:create'],
    ['account:*', 'account:*'],
    ['account', 'account:*'],
    ['*', '*'],
    ['account:fly', null],
    ['nothing', null],
    ['', null],
  ])('%s is kept as %s', (text, kept) => {
    expect(parsePermission(text)).toBe(kept);
  });
  it('of a group is all of the group, and of everything all there are', () => {
    expect(expandPermissions(['tenant:*', 'usage:record'])).toEqual(['tenant:view', 'tenant:create', 'usage:record']);
    expect(expandPermissions(['*'])).toEqual(permissions);
  });
});

describe('a user', () => {
  const data = { userName: 'u', passwordHash: 'h', roles: ['r'] };
  it('is added once, and again after being invalidated', () => {
    expect(user.decide({ type: 'AddUser', data }, data)).toEqual({ rejected: { code: 'user-exists' } });
    const gone = user.evolve(data, { type: 'UserInvalidated', data: { userName: 'u' } });
    expect(user.decide({ type: 'AddUser', data }, gone)).toEqual({ events: [{ type: 'UserAdded', data }] });
  });
  it('that is unknown has neither password nor roles to change', () => {
    const refused = { rejected: { code: 'user-unknown' } };
    expect(user.decide({ type: 'ChangePassword', data: { passwordHash: 'x' } }, null)).toEqual(refused);
    expect(user.decide({ type: 'ChangeRoles', data: { roles: [] } }, null)).toEqual(refused);
    expect(user.decide({ type: 'InvalidateUser', data: {} }, null)).toEqual(refused);
  });
  it('keeps the rest when one thing changes', () => {
    const changed = user.evolve(data, { type: 'UserPasswordChanged', data: { userName: 'u', passwordHash: 'x' } });
    expect(changed).toEqual({ ...data, passwordHash: 'x' });
  });
});

describe('a role', () => {
  const data = { role: 'r', permissions: ['*'] };
  it('is added once and changed once it is there', () => {
    expect(role.decide({ type: 'AddRole', data }, data)).toEqual({ rejected: { code: 'role-exists' } });
    expect(role.decide({ type: 'ChangeRole', data }, null)).toEqual({ rejected: { code: 'role-unknown' } });
    expect(role.decide({ type: 'ChangeRole', data }, data)).toEqual({ events: [{ type: 'RoleChanged', data }] });
  });
});
