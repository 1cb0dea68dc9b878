import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import path from 'node:path';
import { NO_STREAM, type AppendExpectedRevision, type EventStoreDBClient } from '@eventstore/db-client';
import { clientOf, events, eventually, readAllOf } from './testing/bench';
import { newSchema } from './testing/test-database';

const register = path.resolve(__dirname, '../../../../tools/register.cjs');
const script = path.resolve(__dirname, 'testing/crash-child.ts');

interface Child {
  readonly process: ChildProcess;
  readonly connectionString: string;
}

const startChild = async (schema: string): Promise<Child> => {
  const child = spawn(process.execPath, ['-r', register, script, schema], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await Promise.race([
    once(child.stdout, 'data') as Promise<[Buffer]>,
    once(child, 'exit').then(() => Promise.reject(new Error('the server did not start'))),
  ]);
  return { process: child, connectionString: line.toString('utf8').trim() };
};

const EVENTS_PER_APPEND = 5;

/** Appends until the server is gone. What it attempted last may be written or not, but not in part. */
const appendUntilGone = async (
  client: EventStoreDBClient,
  acknowledged: string[],
  attempted: string[][],
): Promise<void> => {
  const stream = `crash-${randomUUID()}`;
  let expectedRevision: AppendExpectedRevision = NO_STREAM;
  for (;;) {
    const batch = events(EVENTS_PER_APPEND);
    const ids = batch.map(({ id }) => id);
    attempted.push(ids);
    try {
      expectedRevision = (await client.appendToStream(stream, batch, { expectedRevision })).nextExpectedRevision;
    } catch {
      return;
    }
    acknowledged.push(...ids);
  }
};

// Generous: these run on machines that do other things at the same time.
jest.setTimeout(60_000);

describe('a server that is killed under load', () => {
  const { schema, drop } = newSchema();
  afterAll(() => drop());

  it('has every acknowledged append, none twice, and each append whole', async () => {
    const acknowledged: string[] = [];
    const attempted: string[][] = [];
    for (let round = 0; round < 3; round++) {
      const child = await startChild(schema);
      const client = clientOf(child.connectionString);
      const before = acknowledged.length;
      const lanes = Array.from({ length: 16 }, () => appendUntilGone(client, acknowledged, attempted));
      await eventually('enough appends', () => acknowledged.length > before + 2_000);
      child.process.kill('SIGKILL');
      await Promise.all(lanes);
      await client.dispose();
    }
    const child = await startChild(schema);
    const client = clientOf(child.connectionString);
    const found = (await readAllOf(client)).map(({ id }) => id);
    const stored = new Set(found);
    await client.dispose();
    child.process.kill('SIGTERM');
    expect(stored.size).toBe(found.length);
    expect(acknowledged.filter((id) => !stored.has(id))).toEqual([]);
    const parts = attempted.map((ids) => ids.filter((id) => stored.has(id)).length);
    expect([...new Set(parts)].filter((part) => part !== 0 && part !== EVENTS_PER_APPEND)).toEqual([]);
  });
});
