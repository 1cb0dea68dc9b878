import { appendFileSync, readFileSync, readdirSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import type { SpoolOptions } from './options';
import { segmentPath } from './segment';
import { openSpool } from './spool';
import { newFolder } from './testing/counting-server';

const small = { segmentBytes: 128 * 1024, bytesMax: 256 * 1024 };
const spoolIn = (directory: string, options: SpoolOptions = {}, onGrown = (): void => undefined) =>
  openSpool(
    directory,
    { segmentBytes: 1024 * 1024, bytesMax: 8 * 1024 * 1024, whenFull: 'REJECT', durability: 'DISK', ...options },
    onGrown,
  );
type OpenSpool = Awaited<ReturnType<typeof spoolIn>>;
const text = (id: number, bytes = 0): string => JSON.stringify({ id, filling: 'x'.repeat(bytes) });
const idIn = (line: string): number => (JSON.parse(line) as { id: number }).id;
const files = (directory: string): readonly string[] =>
  readdirSync(directory).filter((name) => name.endsWith('.spool'));

/** Everything that is left in a spool. */
const drain = async (spool: OpenSpool, recordsMax = 1_000) => {
  const ids: number[] = [];
  const damaged: string[] = [];
  for (let stretch = await spool.next(recordsMax); stretch !== null; stretch = await spool.next(recordsMax)) {
    ids.push(...stretch.texts.map(idIn));
    damaged.push(...stretch.damaged);
    await spool.done(stretch.next);
  }
  return { ids, damaged };
};
/** A spool with these records, as a process leaves it that dies. */
const leftBehind = async (ids: readonly number[]): Promise<string> => {
  const directory = newFolder();
  const spool = await spoolIn(directory);
  await Promise.all(ids.map((id) => spool.append(text(id))));
  await spool.close();
  return directory;
};

describe('a spool', () => {
  it('gives records in the order in which they were kept, over any number of segments, and its files back', async () => {
    const directory = newFolder();
    const spool = await spoolIn(directory, { ...small, bytesMax: 8 * 1024 * 1024 });
    const ids = Array.from({ length: 500 }, (_, id) => id);
    await Promise.all(ids.map((id) => spool.append(text(id, 2_000))));
    expect(files(directory).length).toBeGreaterThan(6);
    expect((await drain(spool, 7)).ids).toEqual(ids);
    expect(spool.waitingBytes()).toBe(0);
    await spool.close();
    expect(files(directory)).toEqual([]);
  });
  it('flushes the disk once for all who ask meanwhile', async () => {
    const groups = jest.fn();
    const spool = await spoolIn(newFolder(), {}, groups);
    await Promise.all(Array.from({ length: 2_000 }, (_, id) => spool.append(text(id))));
    expect(groups.mock.calls.length).toBeLessThan(10);
    await spool.close();
  });
  it('goes on where the one before it was, with new segments under new numbers', async () => {
    const directory = await leftBehind([1, 2, 3]);
    const spool = await spoolIn(directory);
    const stretch = await spool.next(2);
    await spool.done(stretch!.next);
    await spool.append(text(4));
    await spool.close();
    const again = await spoolIn(directory);
    await again.append(text(5));
    expect((await drain(again)).ids).toEqual([3, 4, 5]);
    await again.close();
    const [last] = [await spoolIn(directory)];
    await last.append(text(6));
    expect(files(directory)).toEqual(['000000000004.spool']);
    await last.close();
  });
});

describe('after a crash, a spool', () => {
  it('passes over what was being written and was promised to nobody, wherever that ends', async () => {
    const directory = await leftBehind([1, 2, 3]);
    const file = segmentPath(directory, 1);
    const whole = readFileSync(file);
    const thirdAt = whole.indexOf('\n', whole.indexOf('\n') + 1) + 1;
    for (let end = thirdAt; end < whole.length; end += 1) {
      const torn = newFolder();
      writeFileSync(segmentPath(torn, 1), whole.subarray(0, end));
      const spool = await spoolIn(torn);
      expect(await drain(spool)).toEqual({ ids: [1, 2], damaged: [] });
      await spool.close();
    }
    appendFileSync(file, Buffer.alloc(3_000));
    const zeros = await spoolIn(directory);
    expect(await drain(zeros)).toEqual({ ids: [1, 2, 3], damaged: [] });
    await zeros.close();
  });
  it('tells of a record that the disk did not keep, and gives the others', async () => {
    const directory = await leftBehind([1, 2, 3]);
    const file = segmentPath(directory, 1);
    writeFileSync(file, readFileSync(file, 'utf8').replace('"id":2', '"id":7'));
    const spool = await spoolIn(directory);
    const { ids, damaged } = await drain(spool);
    expect(ids).toEqual([1, 3]);
    expect(damaged).toEqual([expect.stringContaining('"id":7')]);
    await spool.close();
  });
  it.each([
    ['is gone', (place: string) => unlinkSync(place)],
    ['is empty', (place: string) => truncateSync(place, 0)],
    [
      'is damaged',
      (place: string) => writeFileSync(place, readFileSync(place, 'utf8').replace('offset":', 'offset":9')),
    ],
  ])('gives everything it has again when its place %s: the server knows records by name', async (_, harm) => {
    const directory = await leftBehind([1, 2, 3]);
    const spool = await spoolIn(directory);
    await spool.done((await spool.next(2))!.next);
    await spool.close();
    harm(path.join(directory, 'place'));
    const again = await spoolIn(directory);
    expect((await drain(again)).ids).toEqual([1, 2, 3]);
    await again.close();
  });
  it('does not stop at a segment that was taken away or cut short', async () => {
    const directory = newFolder();
    const spool = await spoolIn(directory, { ...small, bytesMax: 1024 * 1024 });
    for (let id = 0; id < 6; id += 1) await spool.append(text(id, 60_000));
    unlinkSync(segmentPath(directory, 1));
    truncateSync(segmentPath(directory, 2), 10);
    const { ids, damaged } = await drain(spool);
    expect(ids).toEqual([4, 5]);
    expect(damaged.length).toBeGreaterThanOrEqual(2);
    await spool.close();
  });
});

describe('a full spool', () => {
  it('refuses a record at once, and takes it once there is room', async () => {
    const spool = await spoolIn(newFolder(), small);
    for (let id = 0; id < 4; id += 1) await spool.append(text(id, 60_000));
    await expect(spool.append(text(9, 60_000))).rejects.toMatchObject({ code: 'spool-full' });
    await spool.done((await spool.next(2))!.next);
    await spool.append(text(4, 60_000));
    expect((await drain(spool)).ids).toEqual([2, 3, 4]);
    await spool.close();
  });
  it('or lets callers wait in the order in which they came, where that was chosen', async () => {
    const spool = await spoolIn(newFolder(), { ...small, whenFull: 'WAIT' });
    const kept: number[] = [];
    const ids = Array.from({ length: 12 }, (_, id) => id);
    const all = Promise.all(ids.map((id) => spool.append(text(id, 60_000)).then(() => kept.push(id))));
    const seen: number[] = [];
    while (seen.length < ids.length) {
      const stretch = await spool.next(2);
      if (stretch === null) await new Promise((resolve) => setTimeout(resolve, 1));
      else {
        expect(spool.waitingBytes()).toBeLessThanOrEqual(small.bytesMax);
        seen.push(...stretch.texts.map(idIn));
        await spool.done(stretch.next);
      }
    }
    await all;
    expect(seen).toEqual(ids);
    expect(kept).toEqual(ids);
    await spool.close();
  });
  it('does not let anybody wait who would wait for ever', async () => {
    const spool = await spoolIn(newFolder(), { ...small, whenFull: 'WAIT' });
    const asked = Array.from({ length: 6 }, (_, id) => spool.append(text(id, 60_000)));
    await Promise.all(asked.slice(0, 4));
    const refused = Promise.allSettled(asked.slice(4));
    spool.shut();
    for (const one of await refused) expect(one).toMatchObject({ status: 'rejected', reason: { code: 'closed' } });
    await spool.close();
  });
});

describe('a disk that fails', () => {
  it('refuses the record it did not keep, loses none that it kept, and is tried anew with the next', async () => {
    const directory = newFolder();
    const spool = await spoolIn(directory);
    await spool.append(text(1));
    const probe = await fs.open(segmentPath(directory, 1), 'r');
    const handle = Object.getPrototypeOf(probe) as { datasync: () => Promise<void> };
    await probe.close();
    const failing = jest.spyOn(handle, 'datasync').mockRejectedValueOnce(new Error('EIO'));
    await expect(spool.append(text(2))).rejects.toMatchObject({ code: 'spool-failed', cause: { message: 'EIO' } });
    failing.mockRestore();
    await spool.append(text(3));
    expect((await drain(spool)).ids).toEqual([1, 3]);
    await spool.close();
  });
});
