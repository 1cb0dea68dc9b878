import { type AccountEmailsCommand, type AccountEmailsEvent, accountEmails } from './account-emails';

const accountId = '21f742f1-ac86-4349-adc2-70cefd075232';
const add: AccountEmailsCommand = { type: 'AddEmail', data: { accountId, accountEmailId: 'e', email: 'a@b.c' } };
const remove: AccountEmailsCommand = { type: 'RemoveEmail', data: { accountId, email: 'a@b.c' } };
const erase: AccountEmailsCommand = { type: 'EraseEmails', data: { accountId } };

const eventsOf = (...commands: readonly AccountEmailsCommand[]): readonly AccountEmailsEvent[] => {
  let state = accountEmails.initial;
  return commands.flatMap((command) => {
    const decision = accountEmails.decide(command, state);
    const events = 'events' in decision ? decision.events : [];
    state = events.reduce(accountEmails.evolve, state);
    return events;
  });
};

describe('addresses of an account', () => {
  it('are there once', () => {
    expect(eventsOf(add, add, remove, remove).map(({ type }) => type)).toEqual(['EmailAdded', 'EmailRemoved']);
  });
  it('are erased once, those that were removed before too: the stream still holds them', () => {
    expect(eventsOf(erase)).toEqual([]);
    expect(eventsOf(add, remove, erase, erase).at(-1)).toEqual({
      type: 'EmailsErased',
      data: { accountId, accountEmailIds: [] },
    });
    expect(eventsOf(add, erase, erase)).toHaveLength(2);
  });
});
