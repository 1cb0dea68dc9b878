import { eventually } from '@billstream/testing';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type MeteringClient, type MeteringClientOptions, type RejectedUsage, openMeteringClient } from './index';
import { countingServer, newFolder, quickOptions } from './testing/counting-server';

let server: Awaited<ReturnType<typeof countingServer>>;
const clients: MeteringClient[] = [];
beforeEach(async () => {
  server = await countingServer();
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close({ withinMs: 0 })));
  await server.close();
});

const open = async (changes: Partial<MeteringClientOptions> = {}): Promise<MeteringClient> => {
  const client = await openMeteringClient({ ...quickOptions(server.url), ...changes });
  clients.push(client);
  return client;
};
const use = (client: MeteringClient, ids: readonly number[]) =>
  Promise.all(ids.map((id) => client.record({ unit: 'calls', user: 'jane', id: String(id) })));
const upTo = (count: number) => Array.from({ length: count }, (_, id) => id);
const countedIds = () => [...server.counted.values()].map(({ id }) => Number(id));
const rejectsIn = (directory: string) =>
  readFileSync(path.join(directory, 'rejects.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as RejectedUsage & { record: { id: string } });

describe('usage that was recorded', () => {
  it('reaches the server in the background, in order and in batches, and flush waits for it', async () => {
    const client = await open();
    const names = await use(client, upTo(2_500));
    expect(names[7]).toEqual({ source: 'metering-client', id: '7' });
    await client.flush();
    expect(countedIds()).toEqual(upTo(2_500));
    expect(Math.max(...server.batches)).toBeLessThanOrEqual(1_000);
    expect(client.stats()).toEqual({ accepted: 2_500, duplicates: 0, rejected: 0, failures: 0, waitingBytes: 0 });
  });
  it('is sent with the time at which it was recorded, however late that is', async () => {
    server.faults.usage = () => ({ status: 503 });
    const client = await open();
    const before = Date.now();
    const { id } = await client.record({ unit: 'calls', user: 'jane' });
    const after = Date.now();
    await eventually(() => client.stats().failures > 2);
    server.faults.usage = () => null;
    await client.flush();
    const [record] = server.counted.values();
    expect(record).toMatchObject({ id, source: 'metering-client' });
    expect(record!.time).toBeGreaterThanOrEqual(before);
    expect(record!.time).toBeLessThanOrEqual(after);
  });
  it.each<readonly [string, object]>([
    ['the server is overloaded', { status: 503 }],
    ['the tenant sends too much', { status: 429, headers: { 'retry-after': '0' } }],
    ['the password is wrong', { status: 401 }],
    ['a proxy answers with a page', { status: 202, body: '<html>' }],
    [
      'somebody answers who counted something else',
      { status: 202, body: { accepted: 1, duplicates: 0, rejected: [] } },
    ],
    ['whatever is sent is refused', { status: 400, body: { detail: 'no' } }],
  ])('waits while %s, and is told of by onError', async (_, refusal) => {
    const errors: Error[] = [];
    server.faults.usage = () => refusal as { status: number };
    const client = await open({ onError: (error) => errors.push(error) });
    await use(client, upTo(5));
    await eventually(() => client.stats().failures >= 3);
    expect(errors[0]!.message).toContain('/v1/usage/events answered');
    server.faults.usage = () => null;
    await client.flush();
    expect(countedIds()).toEqual(upTo(5));
    expect(client.stats().rejected).toBe(0);
  });
  it('counts once when the connection breaks after the server has counted it', async () => {
    let requests = 0;
    server.faults.usage = (records) => {
      requests += 1;
      if (requests > 3) return null;
      for (const record of records) server.counted.set(`${record.source} ${record.id}`, record);
      return 'CUT';
    };
    const client = await open();
    await use(client, upTo(5));
    await client.flush();
    expect(countedIds()).toEqual(upTo(5));
    expect(client.stats()).toMatchObject({ accepted: 0, duplicates: 5, failures: 3 });
  });
  it('that the server rejects is kept in a file and told, and holds up nothing', async () => {
    const directory = newFolder();
    const told: RejectedUsage[] = [];
    server.faults.isRejected = ({ id }) => id === '3';
    const client = await open({
      directory,
      onRejected: (rejected) => {
        told.push(rejected);
        throw new Error('a listener may be wrong');
      },
    });
    await use(client, upTo(6));
    await client.flush();
    expect(countedIds()).toEqual([0, 1, 2, 4, 5]);
    expect(rejectsIn(directory)).toMatchObject([
      { record: { id: '3', user: 'jane' }, field: 'amount', code: 'negative' },
    ]);
    expect(told).toMatchObject([{ record: { id: '3' } }]);
    expect(client.stats().rejected).toBe(1);
  });
  it('that spoils its whole batch is found, and the others count', async () => {
    const directory = newFolder();
    server.faults.usage = (records) =>
      records.some(({ id }) => id === '13')
        ? { status: 400, body: { detail: 'not understood' } }
        : records.length > 20
          ? { status: 413 }
          : null;
    const client = await open({ directory });
    await use(client, upTo(50));
    await client.flush();
    expect(countedIds()).toEqual(upTo(50).filter((id) => id !== 13));
    expect(rejectsIn(directory)).toMatchObject([
      { record: { id: '13' }, code: 'refused', message: 'the server answered 400: not understood' },
    ]);
  });
  it('that is wrong is refused before it is kept', async () => {
    const client = await open();
    await expect(client.record({ unit: 'calls', user: '' })).rejects.toMatchObject({
      code: 'invalid-record',
      field: 'user',
    });
    expect(client.stats().waitingBytes).toBe(0);
  });
});

describe('a client', () => {
  it('that is closed sends what there is; what it cannot send, the next one does', async () => {
    const directory = newFolder();
    const first = await open({ directory });
    await use(first, [1, 2]);
    expect(await first.close()).toEqual({ isEmpty: true });
    await expect(first.record({ unit: 'calls', user: 'jane' })).rejects.toMatchObject({ code: 'closed' });
    server.faults.usage = () => ({ status: 503 });
    const second = await open({ directory });
    await use(second, [3, 4]);
    await expect(second.flush({ withinMs: 30 })).rejects.toMatchObject({ code: 'not-in-time' });
    expect(await second.close({ withinMs: 30 })).toEqual({ isEmpty: false });
    server.faults.usage = () => null;
    const third = await open({ directory });
    await third.flush();
    expect(countedIds()).toEqual([1, 2, 3, 4]);
  });
  it('that is closed while a request hangs does not wait for it', async () => {
    server.faults.limits = () => 'SILENT';
    const client = await open({ limits: { timeoutMs: 60_000 } });
    const asked = client.check('jane', 'calls');
    expect(await client.close()).toEqual({ isEmpty: true });
    expect(await asked).toMatchObject({ basis: 'POLICY' });
  });
  it('has its directory for itself', async () => {
    const directory = newFolder();
    const first = await open({ directory });
    await expect(open({ directory })).rejects.toMatchObject({ code: 'directory-in-use' });
    await first.close();
    await open({ directory });
  });
  it('that nobody can reach the server with keeps what fits, and says when it is full', async () => {
    server.faults.usage = () => ({ status: 503 });
    const client = await open({ spool: { segmentBytes: 131_072, bytesMax: 262_144 } });
    const record = { unit: 'calls', user: 'jane', dimensions: { filling: 'x'.repeat(60_000) } };
    const kept = await Promise.allSettled(upTo(6).map((id) => client.record({ ...record, id: String(id) })));
    expect(kept.map((one) => (one.status === 'fulfilled' ? 'kept' : (one.reason as { code: string }).code))).toEqual([
      ...['kept', 'kept', 'kept', 'kept'],
      ...['spool-full', 'spool-full'],
    ]);
    server.faults.usage = () => null;
    await client.flush();
    expect(countedIds()).toEqual([0, 1, 2, 3]);
    await client.record({ ...record, id: '6' });
  });
});
