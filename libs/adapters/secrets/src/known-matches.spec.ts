import { knownMatches } from './known-matches';

const counting = (max?: number) => {
  const compared: string[] = [];
  let time = 0;
  const matches = knownMatches({
    keptMs: 1_000,
    now: () => time,
    matches: (secret, hashed) => {
      compared.push(secret);
      return Promise.resolve(hashed === `hash of ${secret}`);
    },
    ...(max === undefined ? {} : { max }),
  });
  return {
    matches,
    compared,
    at: (ms: number): void => {
      time = ms;
    },
  };
};

it('compares what matched once for a while', async () => {
  const { matches, compared, at } = counting();
  for (let times = 0; times < 3; times += 1) expect(await matches('a', 'hash of a')).toBe(true);
  expect(compared).toEqual(['a']);
  at(1_000);
  expect(await matches('a', 'hash of a')).toBe(true);
  expect(compared).toEqual(['a', 'a']);
});

it('compares what did not match each time, and a changed hash at once', async () => {
  const { matches, compared } = counting();
  for (let times = 0; times < 2; times += 1) expect(await matches('b', 'hash of a')).toBe(false);
  expect(await matches('a', 'hash of a')).toBe(true);
  expect(await matches('a', 'hash of b')).toBe(false);
  expect(compared).toEqual(['b', 'b', 'a', 'a']);
});

it('remembers so many, the youngest', async () => {
  const { matches, compared } = counting(2);
  for (const secret of ['a', 'b', 'c', 'c', 'b', 'a']) await matches(secret, `hash of ${secret}`);
  expect(compared).toEqual(['a', 'b', 'c', 'a']);
});
