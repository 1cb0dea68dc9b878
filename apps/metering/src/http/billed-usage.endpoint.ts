import { ProblemException, RequestCtx, type RequestContext } from '@billstream/http';
import { Controller, Get, Inject, Query } from '@nestjs/common';
import { IsNotEmpty, IsString, IsUUID, Matches, MaxLength } from 'class-validator';
import {
  type BilledQuantity,
  type BilledUsage,
  type LineagePlace,
  billedUsage,
  countedAgain,
  firstPlace,
  recordsBehind,
} from '../billed-usage';
import { type Metering, meteringToken } from '../metering';
import { instantIn, lineageJson } from './lineage-json';
import { PageQuery, cursorIn, nextCursor } from './pages';

/** A quantity as `itemDetails.usage` of an invoice's USAGE item names it, and whose subscription it is for. */
class BilledUsageQuery extends PageQuery {
  @IsUUID() readonly subscriptionId!: string;
  @IsString() @IsNotEmpty() @MaxLength(255) readonly unit!: string;
  @IsString() @IsNotEmpty() @MaxLength(255) readonly usageName!: string;
  @IsString() @MaxLength(40) readonly fromAt!: string;
  @IsString() @MaxLength(40) readonly toAt!: string;
  @Matches(/^-?\d{1,18}$/) readonly countedTo!: string;
}

/**
 * What a billed quantity was made of: the rules that counted it and when, the hours that were filled in, the free amounts,
 * and its records, each by its stream, revision and index, a page at a time. The amounts of a SUM unit's records add up to
 * what was metered.
 */
@Controller('v1/usage/billed')
export class BilledUsageEndpoint {
  constructor(@Inject(meteringToken) private readonly metering: Metering) {}

  @Get()
  async lineage(@Query() query: BilledUsageQuery, @RequestCtx() { tenantId }: RequestContext): Promise<object> {
    const { subscriptionId, unit, usageName, countedTo } = query;
    const asked: BilledQuantity = {
      ...{ tenantId, subscriptionId, unit, usageName, countedTo },
      fromAt: instantIn(query.fromAt, 'query:fromAt'),
      toAt: instantIn(query.toAt, 'query:toAt'),
    };
    const billed = await billedUsage(this.metering, asked);
    if (billed === null) throw notBilled();
    return { ...quantityJson(asked, billed), ...(await this.basisOf(asked, billed, query)) };
  }

  private async basisOf(asked: BilledQuantity, billed: BilledUsage, { cursor, limit }: PageQuery): Promise<object> {
    const { basis, asked: askedFor } = billed;
    if (basis === null || askedFor === null) return { stretches: null, records: null, next: null };
    const place = placeIn(cursor);
    const page = await recordsBehind(this.metering, asked, { user: askedFor.user, basis }, { place, limit });
    const stretches = [];
    for (const stretch of basis.stretches) stretches.push(await countedAgain(this.metering, asked, askedFor, stretch));
    return {
      stretches,
      records: page.records.map(({ reported, ...record }) => ({ ...lineageJson(record), reported })),
      next: page.next === null ? null : cursorOf(page.next),
    };
  }
}

const quantityJson = ({ subscriptionId }: BilledQuantity, { usage, asked }: BilledUsage) => {
  const { records, trackingIds = [], ...quantity } = usage;
  return {
    ...{ subscriptionId, user: asked?.user ?? null, planName: asked?.planName ?? null },
    ...quantity,
    ...{ recordCount: records, trackingIds },
  };
};

const placeIn = (cursor: string | undefined): LineagePlace => {
  const [part, atMs, position, index] = cursorIn(cursor, 4);
  if (part === undefined || atMs === undefined || position === undefined || index === undefined) return firstPlace;
  return { part: Number(part), after: { atMs: atMs - 1n, position: position - 1n, index: Number(index) - 1 } };
};

/** A cursor holds no negative numbers, and the place before the first record is made of them. */
const cursorOf = ({ part, after: { atMs, position, index } }: LineagePlace): string =>
  nextCursor([BigInt(part), atMs + 1n, position + 1n, BigInt(index) + 1n]);

const notBilled = (): ProblemException =>
  new ProblemException({ status: 404, code: 'usage-not-billed', detail: 'No invoice was told such a quantity' });
