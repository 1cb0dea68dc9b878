import { RequestCtx, type RequestContext } from '@billstream/http';
import { lineageRecords } from '@billstream/metering-read-models';
import { Controller, Get, Inject, Query } from '@nestjs/common';
import { IsNotEmpty, IsString, Matches, MaxLength } from 'class-validator';
import { type Metering, meteringToken } from '../metering';
import { PageQuery, cursorIn, nextCursor } from './pages';
import { instantIn, lineageJson } from './lineage-json';

/** What `itemDetails.usage` of an invoice's USAGE item says of a quantity, and whose it is. */
class LineageQuery extends PageQuery {
  @IsString() @IsNotEmpty() @MaxLength(255) readonly user!: string;
  @IsString() @IsNotEmpty() @MaxLength(255) readonly unit!: string;
  @IsString() @MaxLength(40) readonly fromAt!: string;
  @IsString() @MaxLength(40) readonly toAt!: string;
  @Matches(/^-?\d{1,18}$/) readonly countedTo!: string;
}

/** The records behind a billed quantity, each by its stream, revision and index, as they counted when it was billed. */
@Controller('v1/usage/lineage')
export class UsageLineageEndpoint {
  constructor(@Inject(meteringToken) private readonly metering: Metering) {}

  @Get()
  async records(@Query() query: LineageQuery, @RequestCtx() { tenantId }: RequestContext) {
    const { user, unit, limit } = query;
    const [atMs = -1n, position = -1n, index = -1n] = cursorIn(query.cursor, 3);
    const found = await lineageRecords(this.metering.runtime.database, {
      ...{ tenantId, of: { user }, unit, countedTo: BigInt(query.countedTo) },
      fromAt: instantIn(query.fromAt, 'query:fromAt'),
      toAt: instantIn(query.toAt, 'query:toAt'),
      after: { atMs, position, index: Number(index) },
      limit: limit + 1,
    });
    const records = found.slice(0, limit);
    const last = found.length > limit ? records.at(-1) : undefined;
    return {
      records: records.map(lineageJson),
      next: last === undefined ? null : nextCursor([last.atMs, last.position, BigInt(last.index)]),
    };
  }
}
