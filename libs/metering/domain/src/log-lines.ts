import { type LocalDate, epochMs, instantInZone, parseInstant, parseLocalDate } from '@billstream/kernel';
import { type Decider, accept, defineSchema, reject } from '@billstream/event-sourcing';
import { type LinePattern, type LogPattern, type PatternFault, lineLengthMax, linePattern } from './log-pattern';
import type { RejectedRecord } from './usage-record';

/** How a tenant's log lines are read: the first pattern that a whole line matches. `timeZone` of times that name none. */
export type LogFormat = { readonly patterns: readonly LogPattern[]; readonly timeZone: string };

export const noLogFormat: LogFormat = { patterns: [], timeZone: 'UTC' };

export type LogFormatEvent = { readonly type: 'LogFormatReplaced'; readonly data: LogFormat };
export type LogFormatRejection = {
  readonly code: 'patterns-invalid';
  readonly faults: readonly (PatternFault & { readonly pointer: string })[];
};

export const logFormatStream = (tenantId: string): string => `logFormat-${tenantId}`;

export const logFormat: Decider<LogFormat, LogFormatEvent, LogFormat, LogFormatRejection> = {
  initial: noLogFormat,
  decide: (data, state) => {
    const faults = data.patterns.flatMap((pattern, index) => {
      const read = linePattern(pattern);
      return 'match' in read ? [] : [{ pointer: `/patterns/${index}/pattern`, ...read }];
    });
    if (faults.length > 0) return reject({ code: 'patterns-invalid', faults });
    return JSON.stringify(data) === JSON.stringify(state)
      ? accept()
      : accept<LogFormatEvent>({ type: 'LogFormatReplaced', data });
  },
  evolve: (_, { data }) => data,
};

export const logFormatSchema = defineSchema<LogFormatEvent>({ LogFormatReplaced: 'log-format.replaced.v1' });

/** A line as a record to be taken like any other; its place among the lines of the body. */
export type ReadLine = { readonly index: number; readonly record: Readonly<Record<string, unknown>> };
export type ReadLines = { readonly read: readonly ReadLine[]; readonly rejected: readonly RejectedRecord[] };

/** Reads the lines of a body. Blank ones are nothing; a line that no pattern fits, or whose time is none, is named. */
export const readLogLines = (body: string, { patterns, timeZone }: LogFormat): ReadLines => {
  const compiled = patterns.map(linePattern).filter((one): one is LinePattern => 'match' in one);
  const read: ReadLine[] = [];
  const rejected: RejectedRecord[] = [];
  body.split(/\r?\n/).forEach((line, index) => {
    if (line.trim() === '') return;
    const found = readLine(line, compiled, timeZone);
    if ('refused' in found) rejected.push({ index, ...found.refused });
    else read.push({ index, record: found.record });
  });
  return { read, rejected };
};

type Refused = Omit<RejectedRecord, 'index'>;

const readLine = (
  line: string,
  patterns: readonly LinePattern[],
  timeZone: string,
): { readonly refused: Refused } | Pick<ReadLine, 'record'> => {
  if (line.length > lineLengthMax) return refuse('', 'line-too-long', `a line has at most ${lineLengthMax} characters`);
  for (const { match } of patterns) {
    const fields = match(line);
    if (fields === null) continue;
    const { time, ...rest } = fields;
    if (time === undefined) return { record: rest };
    const ms = lineTimeMs(time, timeZone);
    // The original took the present for a time it could not read, and billed the wrong hour.
    return ms === null
      ? refuse('time', 'invalid', `${time} is not a time that is understood`)
      : { record: { ...rest, time: ms } };
  }
  return refuse('', 'no-pattern', patterns.length === 0 ? 'the tenant has no patterns' : 'no pattern fits the line');
};

const refuse = (field: string, code: string, message: string): { readonly refused: Refused } => ({
  refused: { field, code, message },
});

/** ISO with or without milliseconds and zone, `dd.MM.yyyy HH:mm:ss`, `dd.MM.yyyy`, epoch milliseconds; null: none of them. */
export const lineTimeMs = (text: string, timeZone: string): number | null => {
  if (/^\d{12,14}$/.test(text)) return Number(text);
  const european = /^(\d{2})\.(\d{2})\.(\d{4})(?: (\d{2}:\d{2}:\d{2}))?$/.exec(text);
  if (european) return localMs(`${european[3]}-${european[2]}-${european[1]}`, european[4] ?? '00:00:00', timeZone);
  const iso = /^(\d{4}-\d{2}-\d{2})[T ]([\d:.,]+)(Z|[+-]\d{2}:?\d{2})?$/.exec(text);
  if (!iso) return null;
  const [, date = '', time = '', zone] = iso;
  if (zone === undefined) return localMs(date, time.replace(',', '.'), timeZone);
  const instant = parseInstant(`${date}T${time}${zone}`);
  return instant === null ? null : epochMs(instant);
};

const localMs = (date: string, time: string, timeZone: string): number | null => {
  const day: LocalDate | null = parseLocalDate(date);
  const instant = day === null ? null : instantInZone(day, time, timeZone);
  return instant === null ? null : epochMs(instant);
};
