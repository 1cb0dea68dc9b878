import {
  type Instant,
  type LocalDate,
  isTimeZone,
  parseInstant,
  parseLocalDate,
  plusDuration,
  zonedDateOf,
} from '@billstream/kernel';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { answerEmpty, answerJson, pathOf, queryOf, refuse } from './answers';
import { type Conductor, within } from './conductor';
import type { Logger } from 'pino';

export type TestClockParts = { readonly conductor: Conductor; readonly enabled: boolean; readonly logger: Logger };

export const isTestClockPath = (path: string): boolean => /^\/1\.0\/kb\/test\/(clock|queues)\/?$/.test(path);

type Call = { readonly request: IncomingMessage; readonly response: ServerResponse; readonly tenantId: string };

const bad = (detail: string) => ({ status: 400, code: 'malformed-request', detail });

/**
 * Kill Bill's TestResource (0.24), with a clock per tenant. A move answers after at most `timeoutSec` with the clock as it
 * then is and goes on to its end behind that answer; `/queues` waits for it.
 */
export const answerTestClock = async ({ conductor, enabled, logger }: TestClockParts, call: Call): Promise<void> => {
  const { request, response, tenantId } = call;
  const query = queryOf(request);
  const timeoutSec = Number(query.get('timeoutSec') ?? '5');
  const timeZone = query.get('timeZone') ?? 'UTC';
  if (!(timeoutSec >= 0 && timeoutSec <= 3600))
    return refuse(request, response, bad('timeoutSec must be a number of seconds'));
  if (!isTimeZone(timeZone))
    return refuse(request, response, bad('timeZone must be an IANA time zone or a fixed offset'));
  if (pathOf(request).includes('/queues')) return answerQueues(conductor, call, timeoutSec);
  const method = request.method ?? '';
  if (!['GET', 'POST', 'PUT'].includes(method))
    return refuse(request, response, { status: 405, code: 'method-not-allowed', detail: `${method} is not allowed` });
  if (method !== 'GET') {
    if (!enabled)
      return refuse(request, response, {
        status: 500,
        code: 'real-clock',
        detail: 'Kill Bill has not been configured to update the time',
      });
    const now = await conductor.current(tenantId);
    const target = method === 'POST' ? requestedDate(query) : shifted(now, query);
    if (target === 'bad')
      return refuse(
        request,
        response,
        bad(
          method === 'POST'
            ? 'requestedDate must be an instant or a date'
            : 'one of days, weeks, months, years must be a whole number',
        ),
      );
    const moving = conductor.move(tenantId, target);
    moving.catch((error: unknown) => logger.error({ err: error, tenantId }, 'test clock was not moved to the end'));
    await within(timeoutSec, moving);
  }
  const currentUtcTime = await conductor.current(tenantId);
  answerJson(response, 200, { currentUtcTime, timeZone, localDate: zonedDateOf(currentUtcTime, timeZone) });
};

const answerQueues = async (
  conductor: Conductor,
  { request, response, tenantId }: Call,
  timeoutSec: number,
): Promise<void> => {
  if (request.method !== 'GET')
    return refuse(request, response, { status: 405, code: 'method-not-allowed', detail: 'only GET is allowed' });
  const settled = await within(timeoutSec, conductor.settle(tenantId, { until: Date.now() + timeoutSec * 1000 }));
  return answerEmpty(response, settled === true ? 200 : 412);
};

/** Null: back to real time. A date is its first instant in UTC. */
const requestedDate = (query: URLSearchParams): Instant | null | 'bad' => {
  const text = query.get('requestedDate');
  if (text === null || text === '') return null;
  return parseInstant(parseLocalDate(text) === null ? text : `${text}T00:00:00.000Z`) ?? 'bad';
};

const units = [
  ['days', 'DAYS'],
  ['weeks', 'WEEKS'],
  ['months', 'MONTHS'],
  ['years', 'YEARS'],
] as const;

/** The first of days, weeks, months, years that is there, as Kill Bill takes them; the time of day stays. */
const shifted = (now: Instant, query: URLSearchParams): Instant | 'bad' => {
  const given = units.find(([name]) => query.get(name) !== null);
  const count = Number(given === undefined ? Number.NaN : query.get(given[0]));
  const day: LocalDate | null = parseLocalDate(now.slice(0, 10));
  if (given === undefined || day === null || !Number.isInteger(count) || Math.abs(count) > 36_500) return 'bad';
  return parseInstant(`${plusDuration(day, given[1], count)}${now.slice(10)}`) ?? 'bad';
};
