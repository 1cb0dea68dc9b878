import { ProblemException } from '@billstream/http';
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
import { answerEmpty, answerJson, pathOf, queryOf } from './answers';
import { type Conductor, within } from './conductor';
import type { Logger } from 'pino';

export type TestClockParts = { readonly conductor: Conductor; readonly enabled: boolean; readonly logger: Logger };

export const isTestClockPath = (path: string): boolean => /^\/1\.0\/kb\/test\/(clock|queues)\/?$/.test(path);

type Call = { readonly request: IncomingMessage; readonly response: ServerResponse; readonly tenantId: string };

/**
 * Kill Bill's TestResource (0.24), with a clock per tenant. A move answers after at most `timeoutSec` with the clock as it
 * then is and goes on to its end behind that answer; `/queues` waits for it. Work that keeps failing does not hold a clock
 * up: the answer names it under `failing`, and the queues are not drained.
 */
export const answerTestClock = async (parts: TestClockParts, call: Call): Promise<void> => {
  const { request, response, tenantId } = call;
  const query = queryOf(request);
  const timeoutSec = Number(query.get('timeoutSec') ?? '5');
  const timeZone = query.get('timeZone') ?? 'UTC';
  if (!(timeoutSec >= 0 && timeoutSec <= 3600)) throw malformed('timeoutSec must be a number of seconds');
  if (!isTimeZone(timeZone)) throw malformed('timeZone must be an IANA time zone or a fixed offset');
  const isQueues = pathOf(request).includes('/queues');
  const method = request.method ?? '';
  if (!(isQueues ? ['GET'] : ['GET', 'POST', 'PUT']).includes(method))
    throw problem(405, 'method-not-allowed', `${method} is not allowed`);
  if (isQueues) {
    const settled = await within(
      timeoutSec,
      parts.conductor.settle(tenantId, { until: Date.now() + timeoutSec * 1000 }),
    );
    const isDrained = settled === true && (await parts.conductor.failing(tenantId)).length === 0;
    answerEmpty(response, isDrained ? 200 : 412);
    return;
  }
  if (method !== 'GET') await moveClock(parts, call, timeoutSec);
  answerJson(response, 200, await clockOf(parts, tenantId, timeZone));
};

const clockOf = async ({ conductor, enabled }: TestClockParts, tenantId: string, timeZone: string): Promise<object> => {
  const currentUtcTime = await conductor.current(tenantId);
  // Why work fails is told where tests run, and nowhere else.
  const failing = enabled ? await conductor.failing(tenantId) : [];
  const localDate = zonedDateOf(currentUtcTime, timeZone);
  return { currentUtcTime, timeZone, localDate, ...(failing.length === 0 ? {} : { failing }) };
};

const moveClock = async (
  { conductor, enabled, logger }: TestClockParts,
  { request, tenantId }: Call,
  timeoutSec: number,
): Promise<void> => {
  if (!enabled) throw problem(500, 'real-clock', 'Kill Bill has not been configured to update the time');
  const query = queryOf(request);
  const target = request.method === 'POST' ? requestedDate(query) : shifted(await conductor.current(tenantId), query);
  const moving = conductor.move(tenantId, target);
  const told = moving.then(async () => {
    const failing = await conductor.failing(tenantId);
    if (failing.length > 0) logger.warn({ tenantId, failing }, 'test clock went on without work that keeps failing');
  });
  told.catch((error: unknown) => {
    logger.error({ err: error, tenantId }, 'test clock was not moved to the end');
  });
  await within(timeoutSec, moving);
};

/** Null: back to real time. A date is its first instant in UTC. */
const requestedDate = (query: URLSearchParams): Instant | null => {
  const text = query.get('requestedDate');
  if (text === null || text === '') return null;
  const target = parseInstant(parseLocalDate(text) === null ? text : `${text}T00:00:00.000Z`);
  if (target === null) throw malformed('requestedDate must be an instant or a date');
  return target;
};

const units = [
  ['days', 'DAYS'],
  ['weeks', 'WEEKS'],
  ['months', 'MONTHS'],
  ['years', 'YEARS'],
] as const;

/** The first of days, weeks, months, years that is there, as Kill Bill takes them; the time of day stays. */
const shifted = (now: Instant, query: URLSearchParams): Instant => {
  const given = units.find(([name]) => query.get(name) !== null);
  const count = Number(given === undefined ? Number.NaN : query.get(given[0]));
  const day: LocalDate | null = parseLocalDate(now.slice(0, 10));
  const isShift = given !== undefined && Number.isInteger(count) && Math.abs(count) <= shiftMax;
  const target =
    !isShift || day === null ? null : parseInstant(`${plusDuration(day, given[1], count)}${now.slice(10)}`);
  if (target === null) throw malformed('one of days, weeks, months, years must be a whole number');
  return target;
};

const shiftMax = 36_500;

const problem = (status: number, code: string, detail: string): ProblemException =>
  new ProblemException({ status, code, detail });
const malformed = (detail: string): ProblemException => problem(400, 'malformed-request', detail);
