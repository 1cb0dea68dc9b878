import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { lockDirectory } from './directory-lock';
import { newFolder } from './testing/counting-server';

const root = path.resolve(__dirname, '../../../..');
/** A process that takes the lock of a folder, says whether it got it, and stays. */
const locker = async (folder: string) => {
  const program = `require(${JSON.stringify(path.join(__dirname, 'directory-lock.ts'))}).lockDirectory(process.argv[1])
    .then(() => console.log('got'), (error) => console.log(error.code)); setInterval(() => {}, 1000)`;
  const child = spawn(process.execPath, ['-r', path.join(root, 'tools/register.cjs'), '-e', program, folder]);
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  return {
    said: said.toString().trim(),
    kill9: async () => {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  };
};

describe('the lock of a directory', () => {
  it('is held by one, in this process and in others, until it is released', async () => {
    const folder = newFolder();
    const lock = await lockDirectory(folder);
    await expect(lockDirectory(folder)).rejects.toMatchObject({ code: 'directory-in-use', field: 'directory' });
    const other = await locker(folder);
    expect(other.said).toBe('directory-in-use');
    await other.kill9();
    await lock.release();
    await (await lockDirectory(folder)).release();
    expect(readdirSync(folder)).toHaveLength(1);
  }, 20_000);
  it('ends with a process that is killed, and goes to one of those who then ask at once', async () => {
    const folder = newFolder();
    const holder = await locker(folder);
    expect(holder.said).toBe('got');
    await expect(lockDirectory(folder)).rejects.toMatchObject({ code: 'directory-in-use' });
    await holder.kill9();
    const asked = await Promise.allSettled(Array.from({ length: 8 }, () => lockDirectory(folder)));
    const held = asked.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    expect(held).toHaveLength(1);
    await expect(lockDirectory(folder)).rejects.toMatchObject({ code: 'directory-in-use' });
    await held[0]!.release();
    expect(readdirSync(folder)).toHaveLength(1);
  }, 20_000);
  it('needs no short path', async () => {
    const folder = path.join(newFolder(), 'x'.repeat(120));
    mkdirSync(folder);
    await (await lockDirectory(folder)).release();
  });
});
