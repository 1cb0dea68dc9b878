import { setImmediate } from 'node:timers/promises';
import { groupCommit } from './group-commit';

/** Calls back after so many turns of the queue of microtasks. */
const after = (turns: number, work: () => void): void => {
  if (turns === 0) work();
  else queueMicrotask(() => after(turns - 1, work));
};

it('writes what was asked for meanwhile together, and no more at once than it may', async () => {
  const written: string[] = [];
  const commit = groupCommit(async (lines) => {
    await setImmediate();
    written.push(lines);
  }, 2);
  await Promise.all('abcde'.split('').map((line) => commit.add(line, 1)));
  expect([written, commit.waitingBytes()]).toEqual([['ab', 'cd', 'e'], 0]);
});

it.each([...Array(10).keys()])('forgets no line that comes %d turns after another was written', async (turns) => {
  const written: string[] = [];
  const commit = groupCommit(async (lines) => {
    await setImmediate();
    written.push(lines);
    if (lines === 'a') after(turns, () => void commit.add('b', 1));
  }, 10);
  await commit.add('a', 1);
  await setImmediate();
  await commit.idle();
  expect([written, commit.waitingBytes()]).toEqual([['a', 'b'], 0]);
});
