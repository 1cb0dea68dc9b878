import { DatabaseError } from 'pg';
import { askTogether } from './ask-together';

describe('asking together', () => {
  it('shares a statement with those who ask while another is under way, and answers each', async () => {
    const asked: (readonly number[])[] = [];
    const ends: (() => void)[] = [];
    const double = askTogether(async (numbers: readonly number[]) => {
      asked.push(numbers);
      await new Promise<void>((resolve) => ends.push(resolve));
      return numbers.map((number) => number * 2);
    });
    const first = double(1);
    await new Promise(setImmediate);
    const others = [double(2), double(3)];
    ends[0]?.();
    expect(await first).toBe(2);
    await new Promise(setImmediate);
    ends[1]?.();
    expect(await Promise.all(others)).toEqual([4, 6]);
    expect(asked).toEqual([[1], [2, 3]]);
  });

  it('fails for all who asked in the statement that failed, and for nobody after them', async () => {
    let fails = true;
    const ask = askTogether((names: readonly string[]) =>
      fails ? Promise.reject(new Error('the database is away')) : Promise.resolve(names),
    );
    expect(await Promise.allSettled([ask('a'), ask('b')])).toMatchObject([
      { reason: new Error('the database is away') },
      { reason: new Error('the database is away') },
    ]);
    fails = false;
    expect(await ask('c')).toBe('c');
  });

  it('fails for that one alone whose question the database cannot bear', async () => {
    const asked: number[] = [];
    const ask = askTogether((numbers: readonly number[]) => {
      asked.push(numbers.length);
      if (!numbers.includes(7)) return Promise.resolve(numbers.map((number) => number * 2));
      const refused = new DatabaseError('invalid input syntax', 0, 'error');
      refused.code = '22P02';
      return Promise.reject(refused);
    });
    const numbers = Array.from({ length: 64 }, (_, index) => index);
    const answers = await Promise.allSettled(numbers.map(ask));
    expect(answers.flatMap(({ status }, index) => (status === 'rejected' ? [index] : []))).toEqual([7]);
    expect(answers[8]).toEqual({ status: 'fulfilled', value: 16 });
    // Halves of halves of 64, not 64 statements more.
    expect(asked).toHaveLength(13);
  });

  it('leaves time after a statement of many, for more to ask in the next, and none after a statement of few', async () => {
    const asked: (readonly string[])[] = [];
    const rested: number[] = [];
    let goOn = (): void => undefined;
    const ask = askTogether(
      (names: readonly string[]) => {
        asked.push(names);
        return Promise.resolve(names);
      },
      (names) => (names.length < 2 ? 0 : 60_000),
      (ms) => {
        rested.push(ms);
        return new Promise<void>((resolve) => (goOn = resolve));
      },
    );
    expect(await ask('a')).toBe('a');
    expect(await Promise.all([ask('b'), ask('c')])).toEqual(['b', 'c']);
    const later = [ask('d'), ask('e')];
    await new Promise(setImmediate);
    expect(asked).toEqual([['a'], ['b', 'c']]);
    goOn();
    expect(await Promise.all(later)).toEqual(['d', 'e']);
    expect(asked).toEqual([['a'], ['b', 'c'], ['d', 'e']]);
    expect(rested.map((ms) => ms > 0 && ms <= 60_000)).toEqual([true, true]);
  });
});
