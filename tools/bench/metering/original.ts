import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { request } from 'undici';
import { type Child, freePort, startChild } from '../../services/child';
import type { Total } from './dataset';
import { type Redis, redisAt } from './redis';

/** The original's pattern on this machine: where it takes usage, and what its two stores hold of it. */
export type Original = {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly child: Child;
  /** Points and their amounts by unit, as a bill would be made of them. */
  readonly points: () => Promise<ReadonlyMap<string, Total>>;
  /** Sum of the counters by unit, as limits see them. */
  readonly counters: () => Promise<ReadonlyMap<string, number>>;
  stop(): Promise<void>;
};

export const redisUrl = (): string => process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379';
export const influxUrl = (): string => process.env['INFLUX_URL'] ?? 'http://127.0.0.1:8086';

const influxQuery = async (text: string): Promise<string> => {
  const { body, statusCode } = await request(`${influxUrl()}/query?q=${encodeURIComponent(text)}`, { method: 'POST' });
  const answer = await body.text();
  if (statusCode !== 200) throw new Error(`InfluxDB: ${statusCode} ${answer.slice(0, 200)}`);
  return answer;
};

/** Why the original's pattern cannot be measured here; null: it can. */
export const originalMissing = async (): Promise<string | null> => {
  try {
    const redis = await redisAt(redisUrl());
    redis.end();
  } catch {
    return `no Redis at ${redisUrl()}`;
  }
  try {
    await influxQuery('show databases');
    return null;
  } catch {
    return `no InfluxDB at ${influxUrl()}`;
  }
};

/** `withTags`: user and unit are tags of a point, which they were not. */
export const startOriginal = async (withTags: boolean): Promise<Original> => {
  const name = `bench_${process.pid}_${Date.now()}`;
  const prefix = `${name}:`;
  const directory = mkdtempSync(path.join(os.tmpdir(), 'billstream-bench-original-'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  await influxQuery(`create database ${name}`);
  const redis = await redisAt(redisUrl());
  const child = startChild({
    name: 'original-shim',
    entry: 'tools/bench/metering/original-shim.ts',
    env: {
      PORT: String(port),
      REDIS_URL: redisUrl(),
      INFLUX_URL: influxUrl(),
      KEY_PREFIX: prefix,
      INFLUX_DATABASE: name,
      TAGS: withTags ? '1' : '0',
    },
    readyUrl: `${url}/meter/limit/check/calls?user=nobody`,
    logFolder: directory,
  });
  await child.ready(30_000);
  return {
    url,
    headers: {},
    child,
    points: async () => pointsOf(await influxQuery(`select amount, unit from ${name}..record`)),
    counters: async () => {
      const sums = new Map<string, number>();
      for (const key of await keysOf(redis, prefix)) {
        const unit = key.slice(prefix.length).split('::')[1] ?? '';
        sums.set(unit, (sums.get(unit) ?? 0) + Number((await redis.ask('GET', key)) ?? 0));
      }
      return sums;
    },
    stop: async () => {
      await child.stop();
      for (const key of await keysOf(redis, prefix)) await redis.ask('DEL', key);
      redis.end();
      await influxQuery(`drop database ${name}`);
      rmSync(directory, { recursive: true, force: true });
    },
  };
};

/** Lua, because lists of keys are answers in parts, which nothing else here needs. */
const keysOf = async (redis: Redis, prefix: string): Promise<readonly string[]> => {
  const script = `return table.concat(redis.call('KEYS', ARGV[1]), '\\n')`;
  const text = await redis.ask('EVAL', script, '0', `${prefix}*`);
  return text === null || text === '' ? [] : text.split('\n');
};

type Answer = {
  readonly results: readonly [
    { readonly series?: readonly [{ readonly values: readonly (readonly [string, number, string])[] }] },
  ];
};

const pointsOf = (text: string): ReadonlyMap<string, Total> => {
  const totals = new Map<string, Total>();
  for (const [, amount, unit] of (JSON.parse(text) as Answer).results[0].series?.[0].values ?? []) {
    const { records, amount: before } = totals.get(unit) ?? { records: 0, amount: 0 };
    totals.set(unit, { records: records + 1, amount: before + amount });
  }
  return totals;
};
