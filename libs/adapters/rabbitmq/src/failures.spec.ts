import { AppendOutcomeUnknown, RevisionConflict } from '@billstream/event-sourcing';
import { isInfrastructure } from './failures';

const coded = (code: string | number): Error => Object.assign(new Error('x'), { code });

describe('a failure', () => {
  it.each([
    ['a refused connection', coded('ECONNREFUSED')],
    ['one of several refused addresses', new AggregateError([coded('ECONNREFUSED')], '')],
    ['a PostgreSQL that shuts down', coded('57P01')],
    ['a deadlock', coded('40P01')],
    ['a full disk', coded('53100')],
    ['a store that is unavailable', coded(14)],
    ['an append whose outcome is unknown', new AppendOutcomeUnknown('account-a')],
    ['a driver that lost its connection', new Error('Connection terminated unexpectedly')],
    ['a failure that such a failure caused', new Error('could not load', { cause: coded('ECONNRESET') })],
  ])('like %s is not the fault of the message', (_, error) => {
    expect(isInfrastructure(error)).toBe(true);
  });

  it.each([
    ['a bug', new TypeError('x is undefined')],
    ['a violated constraint', coded('23505')],
    ['a statement that ran too long', coded('57014')],
    ['a lost race for a revision', new RevisionConflict('account-a', 3n)],
    ['a text', 'ECONNREFUSED'],
    ['nothing', undefined],
  ])('like %s counts as an attempt', (_, error) => {
    expect(isInfrastructure(error)).toBe(false);
  });
});
