/** What is asked of the log and the tables themselves, past every service: operators' verbs, dead letters, size. */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { eventStoreDb } from '@billstream/eventstoredb';
import { Client as Postgres } from 'pg';
import { root } from '../services/child';

type Addresses = { readonly databaseUrl: string; readonly eventStoreUrl: string };

const replayMs = 300_000;

/** Runs a verb of `npm run replay`; what it prints, and whether it ended well. */
const replay = (
  verb: string,
  { databaseUrl, eventStoreUrl }: Addresses,
): Promise<{ readonly good: boolean; readonly text: string }> =>
  new Promise((resolve) => {
    const env = {
      PATH: process.env['PATH'] ?? '',
      HOME: process.env['HOME'] ?? '',
      DATABASE_URL: databaseUrl,
      EVENTSTORE_URL: eventStoreUrl,
    };
    const arguments_ = ['-r', path.join(root, 'tools/register.cjs'), path.join(root, 'apps/replay/src/main.ts'), verb];
    execFile(
      process.execPath,
      arguments_,
      { cwd: root, env, timeout: replayMs, maxBuffer: 1 << 26 },
      (error, stdout, stderr) => {
        resolve({
          good: error === null,
          text: `${stdout}${stderr}${error?.killed === true ? `\n${verb} took longer than ${String(replayMs / 1000)} s` : ''}`,
        });
      },
    );
  });

const contexts = ['accounts', 'subscriptions', 'metering', 'invoicing', 'payments'] as const;

const deadLetters = async (databaseUrl: string): Promise<readonly string[]> => {
  const database = new Postgres(databaseUrl);
  await database.connect();
  try {
    const found: string[] = [];
    for (const context of contexts) {
      const { rows } = await database.query<{ type: string; reason: string; error: string | null }>(
        `select type, reason, error from ${context}.dead_letters where discarded_at is null limit 20`,
      );
      found.push(
        ...rows.map(
          ({ type, reason, error }) => `dead letter in ${context}: ${type} ${reason}: ${(error ?? '').slice(0, 200)}`,
        ),
      );
    }
    return found;
  } finally {
    await database.end();
  }
};

const businessEvents = async (eventStoreUrl: string): Promise<number> => {
  const store = eventStoreDb({ connectionString: eventStoreUrl });
  try {
    let after: bigint | null = null;
    for (let count = 0; ;) {
      const page = await store.readAll({ after, prefixes: [''], max: 10_000 });
      count += page.events.filter(({ stream }) => !stream.startsWith('$') && !stream.startsWith('fence')).length;
      if (page.caughtUp) return count;
      after = page.position;
    }
  } finally {
    await store.close();
  }
};

export type Proofs = {
  readonly events: number;
  /** Rows of read models that differ from a rebuild; null: the comparison did not come to an end. */
  readonly readModelDifferences: number | null;
  readonly streamFaults: number | null;
  /** Everything that is wrong, in words. */
  readonly complaints: readonly string[];
};

const numberIn = (text: string, pattern: RegExp): number | null => {
  const found = pattern.exec(text)?.[1];
  return found === undefined ? null : Number(found);
};

export const proofsOf = async (addresses: Addresses): Promise<Proofs> => {
  const compare = await replay('compare', addresses);
  const verify = await replay('verify', addresses);
  return {
    events: await businessEvents(addresses.eventStoreUrl),
    readModelDifferences: numberIn(compare.text, /^(\d+) differences/m),
    streamFaults: numberIn(verify.text, /(\d+) faults/),
    complaints: [
      ...(compare.good ? [] : [`read models differ from a rebuild:\n${compare.text.trim().slice(-3_000)}`]),
      ...(verify.good ? [] : [`the log does not verify:\n${verify.text.trim().slice(-3_000)}`]),
      ...(await deadLetters(addresses.databaseUrl)),
    ],
  };
};
