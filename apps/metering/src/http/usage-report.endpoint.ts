import { RequestCtx, type RequestContext, holdsUnstorableText } from '@billstream/http';
import { type Instant, epochMs, isTimeZone, parseInstant, parseLocalDate, startOfDay } from '@billstream/kernel';
import { countedStreamsOf, isDimensionName } from '@billstream/metering-domain';
import {
  type ReportGroup,
  type ReportInterval,
  type ReportPlace,
  type ReportRow,
  type UsageOwners,
  countedPosition,
  countedStreams,
  ownedSeriesMax,
  reportIntervals,
  usageOwners,
  usageReport,
} from '@billstream/metering-read-models';
import { Controller, Get, Inject, Query } from '@nestjs/common';
import { IsIn, IsOptional, IsString, MaxLength } from 'class-validator';
import { type Metering, meteringToken } from '../metering';
import { PageLimit } from './pages';
import { invalidField } from './problems';

/** Four names of 255 characters, each up to four bytes of UTF-8, in base64. */
const cursorMax = 6_000;

class ReportQuery extends PageLimit {
  @IsOptional() @IsString() @MaxLength(cursorMax) readonly cursor?: string;
  /** A day, or an ISO 8601 instant; half-open. */
  @IsString() @MaxLength(40) readonly from!: string;
  @IsString() @MaxLength(40) readonly to!: string;
  @IsOptional() @IsIn(reportIntervals) readonly interval?: ReportInterval;
  @IsOptional() @IsString() @MaxLength(64) readonly timeZone: string = 'UTC';
  /** `unit`, `user`, `subscription` and `dimension:<name>`, with commas between them. */
  @IsOptional() @IsString() @MaxLength(400) readonly groupBy: string = 'unit';
  /** Names with commas between them. */
  @IsOptional() @IsString() @MaxLength(4_000) readonly unit?: string;
  @IsOptional() @IsString() @MaxLength(4_000) readonly user?: string;
  /** `<name>:<value>` */
  @IsOptional() @IsString() @MaxLength(400) readonly dimension?: string;
}

const groupsMax = 4;

/** What was used, each accepted record once and as corrected, by hour, day or month of a time zone and by group. */
@Controller('v1/usage')
export class UsageReportEndpoint {
  constructor(@Inject(meteringToken) private readonly metering: Metering) {}

  @Get()
  async report(@Query() query: ReportQuery, @RequestCtx() { tenantId }: RequestContext) {
    const { database } = this.metering.runtime;
    const { interval = null, timeZone, limit } = query;
    const zone = zoneOf(timeZone);
    const fromAt = instantIn(query.from, zone, 'query:from');
    const toAt = instantIn(query.to, zone, 'query:to');
    if (toAt <= fromAt) throw invalidField('query:to', 'is after from');
    const groupBy = groupsIn(query.groupBy);
    const after = placeIn(query.cursor, interval, groupBy);
    const dimensions = dimensionIn(query.dimension);
    const asked = { tenantId, fromAt, toAt, units: namesIn(query.unit), users: namesIn(query.user) };
    const freshness = await this.freshness(tenantId);
    const owners = groupBy.includes('subscription') ? await usageOwners(database, asked) : nobodys;
    if (owners === null)
      throw invalidField(
        'query:groupBy',
        `usage of at most ${ownedSeriesMax} users and units is told apart by subscription; narrow it down by unit, user or range`,
      );
    const rows = await usageReport(database, {
      ...{ ...asked, interval, timeZone: zone, groupBy, dimensions, owners, after },
      limit: limit + 1,
    });
    const page = rows.slice(0, limit);
    const last = rows.length > limit ? page.at(-1) : undefined;
    return {
      ...{ from: fromAt, to: toAt, interval, timeZone: zone },
      usage: page.map((row) => rowJson(row, groupBy)),
      next: last === undefined ? null : cursorOf(last),
      freshness,
    };
  }

  /** Up to where of the log usage is counted, and for how long the first that is not has been waiting. */
  private async freshness(tenantId: string) {
    const { database, store } = this.metering.runtime;
    const streams = countedStreamsOf(tenantId);
    const [position, counted] = await Promise.all([
      countedPosition(database, streams),
      countedStreams(database, streams),
    ]);
    const rest = await Promise.all(
      streams.map((stream) => store.read(stream, (counted.get(stream)?.revision ?? -1n) + 1n, 1)),
    );
    const waiting = rest.flat().map(({ metadata }) => epochMs(metadata.recordedAt));
    return {
      position: position === null ? null : String(position),
      behindMs: waiting.length === 0 ? 0 : Math.max(0, Date.now() - Math.min(...waiting)),
    };
  }
}

const nobodys: UsageOwners = { series: [], fromMs: [], toMs: [], subscriptionIds: [] };

const fieldOf = { unit: 'unit', user: 'user', subscription: 'subscriptionId' } as const;

/** A page begins after a row and not at a number, so rows that come or go before it move nothing. */
const cursorOf = ({ at, groups }: ReportPlace): string =>
  Buffer.from(JSON.stringify([at, ...groups])).toString('base64url');

const placeIn = (
  cursor: string | undefined,
  interval: ReportInterval | null,
  groupBy: readonly ReportGroup[],
): ReportPlace | null => {
  if (cursor === undefined) return null;
  const place = placeOf(cursor);
  if (place?.groups.length !== groupBy.length || (place.at === null) !== (interval === null))
    throw invalidField('query:cursor', 'is what `next` of the page before says, for the same interval and groups');
  return place;
};

const placeOf = (cursor: string): ReportPlace | null => {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    if (!Array.isArray(parts) || !parts.every(isPart)) return null;
    const [at = null, ...groups] = parts;
    const instant = at === null ? null : parseInstant(at);
    return at !== null && instant === null ? null : { at: instant, groups };
  } catch {
    return null;
  }
};

const isPart = (part: unknown): part is string | null =>
  part === null || (typeof part === 'string' && !holdsUnstorableText(part));

const rowJson = ({ at, groups, sum, max, mean, records }: ReportRow, groupBy: readonly ReportGroup[]) => {
  const named = groupBy.map((group, index) => [group, groups[index] ?? null] as const);
  const dimensions = named.flatMap(([group, value]) =>
    typeof group === 'string' ? [] : [[group.dimension, value] as const],
  );
  return {
    ...(at === null ? {} : { time: at }),
    ...Object.fromEntries(
      named.flatMap(([group, value]) => (typeof group === 'string' ? [[fieldOf[group], value] as const] : [])),
    ),
    ...(dimensions.length === 0 ? {} : { dimensions: Object.fromEntries(dimensions) }),
    ...{ sum, max, mean, records },
  };
};

const zoneOf = (name: string): string => {
  if (!isTimeZone(name)) throw invalidField('query:timeZone', 'is the name of a time zone, like Asia/Seoul');
  return name;
};

const instantIn = (text: string, timeZone: string, pointer: string): Instant => {
  const date = parseLocalDate(text);
  const instant = date === null ? parseInstant(text) : startOfDay(date, timeZone);
  if (instant === null) throw invalidField(pointer, 'is a day like 2024-05-01, or an ISO 8601 instant');
  return instant;
};

const namesIn = (text: string | undefined): readonly string[] =>
  text === undefined ? [] : text.split(',').filter((name) => name !== '');

const groupsIn = (text: string): readonly ReportGroup[] => {
  const groups = [...new Set(namesIn(text))].map((name): ReportGroup => {
    if (name === 'unit' || name === 'user' || name === 'subscription') return name;
    const dimension = name.startsWith('dimension:') ? name.slice('dimension:'.length) : '';
    if (!isDimensionName(dimension))
      throw invalidField(
        'query:groupBy',
        'holds unit, user, subscription or dimension:<name>, with commas between them',
      );
    return { dimension };
  });
  if (groups.length > groupsMax) throw invalidField('query:groupBy', `holds at most ${groupsMax} names`);
  return groups;
};

const dimensionIn = (text: string | undefined): Readonly<Record<string, string>> => {
  if (text === undefined) return {};
  const [name = '', ...value] = text.split(':');
  if (!isDimensionName(name) || value.length === 0) throw invalidField('query:dimension', 'is <name>:<value>');
  return { [name]: value.join(':') };
};
