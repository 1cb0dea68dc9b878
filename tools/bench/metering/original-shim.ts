/**
 * The pattern of the original metering behind our own HTTP, as a process: each record raises a counter in Redis and
 * becomes a point of the measurement `record` in InfluxDB, in milliseconds and without a tag; or, with TAGS=1, with user and
 * unit as tags, so that only points of one user and unit replace each other. Kinder to it than it was to
 * itself: it answers once both stores have answered, a body's counters go out together and its points in one request, and
 * one record that cannot be taken does not drop the others.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Pool } from 'undici';
import { type Redis, redisAt } from './redis';

type Incoming = {
  readonly unit?: unknown;
  readonly user?: unknown;
  readonly amount?: unknown;
  readonly time?: unknown;
};
type Taken = { readonly unit: string; readonly user: string; readonly amount: number; readonly time: number };

const taken = ({ unit, user, amount, time }: Incoming): readonly Taken[] =>
  typeof unit === 'string' && typeof user === 'string' && typeof amount === 'number' && typeof time === 'number'
    ? [{ unit, user, amount, time }]
    : [];

const withTags = process.env['TAGS'] === '1';
const tagText = (text: string): string => text.replaceAll(/[ ,=]/g, '\\$&');

const line = (one: Taken): string =>
  withTags
    ? `record,username=${tagText(one.user)},unit=${tagText(one.unit)} amount=${one.amount}i,basePlan="",addonPlan="",subscriptionId="" ${one.time}`
    : untagged(one);

const untagged = ({ unit, user, amount, time }: Taken): string =>
  `record amount=${amount}i,username=${JSON.stringify(user)},unit=${JSON.stringify(unit)},basePlan="",addonPlan="",subscriptionId="" ${time}`;

const windowSeconds = 3_600;

const count = async (redis: Redis, prefix: string, { unit, user, amount }: Taken): Promise<void> => {
  const key = `${prefix}count::${unit}::${user}`;
  const after = await redis.ask('INCRBY', key, String(amount));
  if (after === String(amount)) await redis.ask('EXPIRE', key, String(windowSeconds));
};

const bodyOf = async (request: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
};

const required = (name: string): string => {
  const value = process.env[name];
  if (value === undefined || value === '') throw new Error(`${name} is not set`);
  return value;
};

const main = async (): Promise<void> => {
  const [prefix, database] = [required('KEY_PREFIX'), required('INFLUX_DATABASE')];
  const redis = await redisAt(required('REDIS_URL'));
  const influx = new Pool(required('INFLUX_URL'), { connections: 16 });
  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const records = (JSON.parse(await bodyOf(request)) as readonly Incoming[]).flatMap(taken);
    await Promise.all(records.map((record) => count(redis, prefix, record)));
    const written = await influx.request({
      method: 'POST',
      path: `/write?db=${database}&precision=ms`,
      body: records.map(line).join('\n'),
    });
    await written.body.dump();
    response.writeHead(written.statusCode === 204 ? 202 : 502).end('{}');
  };
  const check = async (url: URL, response: ServerResponse): Promise<void> => {
    const unit = url.pathname.split('/').at(-1) ?? '';
    const current = await redis.ask('GET', `${prefix}count::${unit}::${url.searchParams.get('user') ?? ''}`);
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify({ current: Number(current ?? 0) }));
  };
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://shim');
    const done = request.method === 'POST' ? take(request, response) : check(url, response);
    done.catch(() => response.writeHead(502).end());
  });
  server.listen(Number(required('PORT')), '127.0.0.1');
};

void main();
