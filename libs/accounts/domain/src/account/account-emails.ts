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

/** Ids by address. */
export type AccountEmailsState = ReadonlyMap<string, string>;

/** An address is there once; adding it again and removing what is not there change nothing. */
export const accountEmails: Decider<AccountEmailsCommand, AccountEmailsEvent, AccountEmailsState, never> = {
  initial: new Map(),
  decide: ({ type, data }, emails) => {
    const { accountId } = data;
    switch (type) {
      case 'AddEmail':
        return emails.has(data.email) ? accept() : accept({ type: 'EmailAdded', data });
      case 'RemoveEmail': {
        const accountEmailId = emails.get(data.email);
        if (accountEmailId === undefined) return accept();
        return accept({ type: 'EmailRemoved', data: { accountId, accountEmailId } });
      }
      case 'EraseEmails':
        if (emails.size === 0) return accept();
        return accept({ type: 'EmailsErased', data: { accountId, accountEmailIds: [...emails.values()] } });
    }
  },
  evolve: (emails, { type, data }) => {
    switch (type) {
      case 'EmailAdded':
        return new Map([...emails, [data.email, data.accountEmailId]]);
      case 'EmailRemoved':
        return new Map([...emails].filter(([, id]) => id !== data.accountEmailId));
      case 'EmailsErased':
        return new Map();
    }
  },
};

export const accountEmailsSchema = defineSchema<AccountEmailsEvent>({
  EmailAdded: 'accountEmails.added.v1',
  EmailRemoved: 'accountEmails.removed.v1',
  EmailsErased: 'accountEmails.erased.v1',
});
