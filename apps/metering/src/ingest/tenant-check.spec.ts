import { patienceMs, tenantCheck } from './tenant-check';

const checking = () => {
  const told = new Set<string>();
  const time = { now: 0 };
  const check = tenantCheck({ isKnown: (id) => Promise.resolve(told.has(id)), nowMs: () => time.now });
  return { told, time, check };
};

it('a tenant that nobody told of is waited for, and unknown after that, until somebody tells of it', async () => {
  const { told, time, check } = checking();
  expect(await check('a')).toBe('NOT_YET');
  time.now = patienceMs - 1;
  expect([await check('a'), await check('b')]).toEqual(['NOT_YET', 'NOT_YET']);
  time.now = patienceMs;
  expect([await check('a'), await check('b')]).toEqual(['UNKNOWN', 'NOT_YET']);
  told.add('a');
  expect(await check('a')).toBe('KNOWN');
  told.clear();
  expect(await check('a')).toBe('KNOWN');
});
it('remembers a bounded number of those it waits for, and makes room once the oldest was waited for', async () => {
  const { told, time, check } = checking();
  for (let n = 0; n < 1_000; n += 1) expect(await check(`x${n}`)).toBe('NOT_YET');
  told.add('known');
  expect([await check('one more'), await check('known')]).toEqual(['UNKNOWN', 'KNOWN']);
  time.now = patienceMs;
  expect([await check('one more'), await check('x1'), await check('one more')]).toEqual([
    'NOT_YET',
    'UNKNOWN',
    'NOT_YET',
  ]);
});
