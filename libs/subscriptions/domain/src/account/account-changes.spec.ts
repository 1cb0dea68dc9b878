import { at } from '../bundle/bundle.fixtures';
import type { BlockingState } from '../bundle/bundle';
import {
  type AccountChange,
  type AccountChangeCommand,
  type AccountChanges,
  accountChangesDecider,
  noAccountChanges,
} from './account-changes';

const { decide, evolve } = accountChangesDecider;

const stateOf = (stateName: string, day: string, blockChange = true): BlockingState => ({
  blockingId: `${stateName}/${day}`,
  type: 'ACCOUNT',
  blockedId: 'account-1',
  service: 'fraud',
  stateName,
  blockChange,
  blockEntitlement: false,
  blockBilling: false,
  effectiveAt: at(day),
});

const begin = (changeId: string, change: AccountChange, day: string): AccountChangeCommand => ({
  type: 'BeginAccountChange',
  data: { changeId, accountId: 'account-1', at: at(day), change },
});

const after = (...commands: readonly AccountChangeCommand[]): AccountChanges =>
  commands.reduce<AccountChanges>((state, command) => {
    const outcome = decide(command, state);
    if ('rejected' in outcome) throw new Error(outcome.rejected.code);
    return outcome.events.reduce(evolve, state);
  }, noAccountChanges);

const outcomeOf = (state: AccountChanges, command: AccountChangeCommand): string | number => {
  const outcome = decide(command, state);
  return 'rejected' in outcome ? outcome.rejected.code : outcome.events.length;
};

const block = (name: string, day: string, blockChange = true) =>
  begin(`block-${day}`, { kind: 'BLOCK', state: stateOf(name, day, blockChange) }, day);
const create = (day: string) => begin(`create-${day}`, { kind: 'CREATE', creations: [] }, day);

describe('a change of several bundles', () => {
  it('is open until it ends, and ends once', () => {
    const open = after(create('2024-01-01'));
    expect(open.open.map(({ changeId }) => changeId)).toEqual(['create-2024-01-01']);
    const end: AccountChangeCommand = {
      type: 'EndAccountChange',
      data: { changeId: 'create-2024-01-01', accountId: 'account-1', refusals: [] },
    };
    expect(after(create('2024-01-01'), end).open).toEqual([]);
    expect(outcomeOf(after(create('2024-01-01'), end), end)).toBe(0);
  });

  it('is refused while the account is blocked for changes; blocking and cancelling are not', () => {
    const blocked = after(block('SUSPECT', '2024-01-10'));
    expect(outcomeOf(blocked, create('2024-01-09'))).toBe(1);
    expect(outcomeOf(blocked, create('2024-01-11'))).toBe('change-blocked');
    expect(outcomeOf(blocked, begin('c', { kind: 'CANCEL', billing: 'IMMEDIATE' }, '2024-01-11'))).toBe(1);
    expect(
      outcomeOf(after(block('SUSPECT', '2024-01-10'), block('CLEAR', '2024-01-11', false)), create('2024-01-12')),
    ).toBe(1);
  });

  it('drops a blocking state that repeats the name before it, whatever its flags', () => {
    const blocked = after(block('SUSPECT', '2024-01-10'));
    expect(outcomeOf(blocked, block('SUSPECT', '2024-01-12', false))).toBe(0);
    expect(outcomeOf(blocked, block('CLEAR', '2024-01-12', false))).toBe(1);
  });
});
