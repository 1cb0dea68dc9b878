import { ProblemException, RequestCtx, type RequestContext, locationOf } from '@billstream/http';
import { epochMs, parseUuid, toNumber } from '@billstream/kernel';
import { type LimitHistoryEntry, limitHistory, limitHistoryEntry } from '@billstream/metering-read-models';
import { Controller, Get, Inject, Param, Query, Req } from '@nestjs/common';
import { IsNotEmpty, IsString } from 'class-validator';
import type { FastifyRequest } from 'fastify';
import { type Metering, meteringToken } from '../metering';
import { PageQuery, askedPage, springPage, springSearches } from './spring-page';

class UserQuery extends PageQuery {
  @IsString() @IsNotEmpty() readonly user!: string;
}
class UnitQuery extends PageQuery {
  @IsString() @IsNotEmpty() readonly unit!: string;
}
class UnitAndUserQuery extends UnitQuery {
  @IsString() @IsNotEmpty() readonly user!: string;
}

const path = '/meter/limits';
const searches = {
  findByUser: ['user', 'page', 'size', 'sort'],
  findByUnit: ['unit', 'page', 'size', 'sort'],
  findByUnitAndUser: ['unit', 'user', 'page', 'size', 'sort'],
};

/**
 * The history of limits as the original's Spring Data REST collection serves it: who was limited or released in which
 * unit, when and why. The original wrote a row for each record above a limit; here each change is one row, and each act by hand.
 */
@Controller('meter/limits')
export class LimitHistoryEndpoint {
  constructor(@Inject(meteringToken) private readonly metering: Metering) {}

  @Get()
  listLimits(@Query() query: PageQuery, @RequestCtx() context: RequestContext, @Req() request: FastifyRequest) {
    return this.page({ user: null, unit: null }, query, { context, request });
  }

  @Get('search')
  limitSearches(@Req() request: FastifyRequest) {
    return springSearches(path, searches, request);
  }

  @Get('search/findByUser')
  findByUser(@Query() query: UserQuery, @RequestCtx() context: RequestContext, @Req() request: FastifyRequest) {
    return this.page({ user: query.user, unit: null }, query, { context, request });
  }

  @Get('search/findByUnit')
  findByUnit(@Query() query: UnitQuery, @RequestCtx() context: RequestContext, @Req() request: FastifyRequest) {
    return this.page({ user: null, unit: query.unit }, query, { context, request });
  }

  @Get('search/findByUnitAndUser')
  findByUnitAndUser(
    @Query() query: UnitAndUserQuery,
    @RequestCtx() context: RequestContext,
    @Req() request: FastifyRequest,
  ) {
    return this.page({ user: query.user, unit: query.unit }, query, { context, request });
  }

  @Get(':id')
  async showLimit(@Param('id') id: string, @RequestCtx() { tenantId }: RequestContext, @Req() request: FastifyRequest) {
    const transitionId = parseUuid(id);
    const { database } = this.metering.runtime;
    const entry = transitionId === null ? null : await limitHistoryEntry(database, tenantId, transitionId);
    if (entry === null)
      throw new ProblemException({ status: 404, code: 'limit-not-found', detail: `There is no entry ${id}` });
    return entryJson(entry, request);
  }

  private async page(
    search: { readonly user: string | null; readonly unit: string | null },
    query: PageQuery,
    { context: { tenantId }, request }: { readonly context: RequestContext; readonly request: FastifyRequest },
  ) {
    const { user } = search;
    if (user === null) await this.metering.runtime.caughtUp();
    else await this.metering.usageVisible(tenantId, user);
    const asked = { ...search, ...askedPage(query) };
    const { entries, total } = await limitHistory(this.metering.runtime.database, tenantId, asked);
    return springPage({ path, items: entries.map((entry) => entryJson(entry, request)), total }, query, request);
  }
}

/** The original's fields first, `time` in epoch milliseconds; then what it did not say. */
const entryJson = (entry: LimitHistoryEntry, request: FastifyRequest) => {
  const href = locationOf(request, `${path}/${entry.transitionId}`);
  return {
    id: entry.transitionId,
    user: entry.user,
    unit: entry.unit,
    current: toNumber(entry.current),
    limitAmount: entry.limit === null ? null : toNumber(entry.limit),
    refreshInterval: entry.refreshInterval,
    basePlan: entry.basePlan,
    addonPlan: entry.addonPlan,
    subscriptionId: entry.subscriptionId,
    time: epochMs(entry.at),
    from: entry.from,
    to: entry.to,
    cause: entry.cause,
    resetAt: entry.resetAt,
    ruleVersion: entry.ruleVersion,
    behind: entry.behind,
    actor: entry.actor,
    reason: entry.reason,
    decided: { position: String(entry.position), recordedAt: entry.recordedAt },
    _links: { self: { href }, limit: { href } },
  };
};
