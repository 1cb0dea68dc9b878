import { type Decider, accept, defineSchema, reject } from '@billstream/event-sourcing';

/** Someone who may log in. The password is known as a salted hash alone; the edge makes and checks it. */
export type User = {
  readonly userName: string;
  readonly passwordHash: string;
  readonly roles: readonly string[];
};

export type UserEvent =
  | { readonly type: 'UserAdded'; readonly data: User }
  | {
      readonly type: 'UserPasswordChanged';
      readonly data: { readonly userName: string; readonly passwordHash: string };
    }
  | {
      readonly type: 'UserRolesChanged';
      readonly data: { readonly userName: string; readonly roles: readonly string[] };
    }
  | { readonly type: 'UserInvalidated'; readonly data: { readonly userName: string } };

export type UserCommand =
  | { readonly type: 'AddUser'; readonly data: User }
  | { readonly type: 'ChangePassword'; readonly data: { readonly passwordHash: string } }
  | { readonly type: 'ChangeRoles'; readonly data: { readonly roles: readonly string[] } }
  | { readonly type: 'InvalidateUser'; readonly data: Record<string, never> };

/** Null: nobody of that name may log in (any more). */
export type UserState = User | null;

export type UserRejection = { readonly code: 'user-exists' } | { readonly code: 'user-unknown' };

/** One stream a name. A name that was invalidated may be given again. */
export const user: Decider<UserCommand, UserEvent, UserState, UserRejection> = {
  initial: null,
  decide: (command, known) => {
    if (command.type === 'AddUser')
      return known === null ? accept({ type: 'UserAdded', data: command.data }) : reject({ code: 'user-exists' });
    if (known === null) return reject({ code: 'user-unknown' });
    const { userName } = known;
    switch (command.type) {
      case 'ChangePassword':
        return accept({ type: 'UserPasswordChanged', data: { userName, ...command.data } });
      case 'ChangeRoles':
        return accept({ type: 'UserRolesChanged', data: { userName, ...command.data } });
      case 'InvalidateUser':
        return accept({ type: 'UserInvalidated', data: { userName } });
    }
  },
  evolve: (known, event) => {
    switch (event.type) {
      case 'UserAdded':
        return event.data;
      case 'UserPasswordChanged':
      case 'UserRolesChanged':
        return known === null ? null : { ...known, ...event.data };
      case 'UserInvalidated':
        return null;
    }
  },
};

export const userSchema = defineSchema<UserEvent>({
  UserAdded: 'user.added.v1',
  UserPasswordChanged: 'user.password-changed.v1',
  UserRolesChanged: 'user.roles-changed.v1',
  UserInvalidated: 'user.invalidated.v1',
});
