import { ownWrites } from './own-writes';

it('a user waits for its own last write only', () => {
  const written = ownWrites();
  written.note('a', 3n);
  written.note('b', 4n);
  written.note('a', 5n);
  expect([written.last('a'), written.last('b'), written.last('c')]).toEqual([5n, 4n, null]);
});

it('who was forgotten waits for no less than its own write, however many there are', () => {
  const written = ownWrites(10);
  for (let user = 0; user < 100; user += 1) written.note(String(user), BigInt(user));
  for (let user = 0; user < 100; user += 1) expect(written.last(String(user))).toBeGreaterThanOrEqual(BigInt(user));
  // Those that came last are known by name.
  expect([98, 99].map((user) => written.last(String(user)))).toEqual([98n, 99n]);
});
