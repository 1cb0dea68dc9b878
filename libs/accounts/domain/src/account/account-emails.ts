import { type Decider, accept, defineSchema } from '@billstream/event-sourcing';

/** Further addresses of an account, to which its notices go too (Kill Bill's AccountEmail). Personal data, all of it. */
export type AccountEmailsEvent =
  | {
      readonly type: 'EmailAdded';
      readonly data: { readonly accountId: string; readonly accountEmailId: string; readonly email: string };
    }
  | { readonly type: 'EmailRemoved'; readonly data: { readonly accountId: string; readonly accountEmailId: string } }
  /** From here on nothing before this event may be shown; an operator truncates the stream before it. */
  | {
      readonly type: 'EmailsErased';
      readonly data: { readonly accountId: string; readonly accountEmailIds: readonly string[] };
    };

export type AccountEmailsCommand =
  | {
      readonly type: 'AddEmail';
      readonly data: { readonly accountId: string; readonly accountEmailId: string; readonly email: string };
    }
  | { readonly type: 'RemoveEmail'; readonly data: { readonly accountId: string; readonly email: string } }
  | { readonly type: 'EraseEmails'; readonly data: { readonly accountId: string } };

export type AccountEmailsState = {
  /** Ids by address. */
  readonly ids: ReadonlyMap<string, string>;
  /** Whether the stream holds addresses, removed ones too. */
  readonly holdsAddresses: boolean;
};

/** An address is there once; adding it again and removing what is not there change nothing. */
export const accountEmails: Decider<AccountEmailsCommand, AccountEmailsEvent, AccountEmailsState, never> = {
  initial: { ids: new Map(), holdsAddresses: false },
  decide: ({ type, data }, { ids, holdsAddresses }) => {
    const { accountId } = data;
    switch (type) {
      case 'AddEmail':
        return ids.has(data.email) ? accept() : accept({ type: 'EmailAdded', data });
      case 'RemoveEmail': {
        const accountEmailId = ids.get(data.email);
        if (accountEmailId === undefined) return accept();
        return accept({ type: 'EmailRemoved', data: { accountId, accountEmailId } });
      }
      case 'EraseEmails':
        if (!holdsAddresses) return accept();
        return accept({ type: 'EmailsErased', data: { accountId, accountEmailIds: [...ids.values()] } });
    }
  },
  evolve: ({ ids, holdsAddresses }, { type, data }) => {
    switch (type) {
      case 'EmailAdded':
        return { ids: new Map([...ids, [data.email, data.accountEmailId]]), holdsAddresses: true };
      case 'EmailRemoved':
        return { ids: new Map([...ids].filter(([, id]) => id !== data.accountEmailId)), holdsAddresses };
      case 'EmailsErased':
        return { ids: new Map(), holdsAddresses: false };
    }
  },
};

export const accountEmailsSchema = defineSchema<AccountEmailsEvent>({
  EmailAdded: 'accountEmails.added.v1',
  EmailRemoved: 'accountEmails.removed.v1',
  EmailsErased: 'accountEmails.erased.v1',
});
