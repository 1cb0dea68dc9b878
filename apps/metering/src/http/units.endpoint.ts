import { RequestCtx, type RequestContext, commandContext, locationOf, unwrap } from '@billstream/http';
import { parseUuid } from '@billstream/kernel';
import { type CountingMethod, type UnitCommand, unitIdOf, unitStream } from '@billstream/metering-domain';
import { type UnitView, unitById, unitByName, unitsPage } from '@billstream/metering-read-models';
import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Inject,
  Param,
  Patch,
  Post,
  Put,
  Query,
  Req,
  Res,
} from '@nestjs/common';
import { IsNotEmpty, IsString } from 'class-validator';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Metering, meteringToken } from '../metering';
import { invalidField, unitProblem, unknownUnit } from './problems';
import { PageQuery, askedPage, springPage, springSearches } from './spring-page';
import { UnitPatch, UnitRequest, ruleOf, unitJson } from './unit-json';

class NameQuery extends PageQuery {
  @IsString() @IsNotEmpty() readonly name!: string;
}

type Changes = { readonly [Field in keyof UnitPatch]: UnitPatch[Field] | undefined };

const collection = (request: FastifyRequest): string => locationOf(request, '/meter/units');

/** Units and their rules, as the original's Spring Data REST collection serves them. */
@Controller('meter/units')
export class UnitsEndpoint {
  constructor(@Inject(meteringToken) private readonly metering: Metering) {}

  @Get()
  list(@Query() query: PageQuery, @RequestCtx() { tenantId }: RequestContext, @Req() request: FastifyRequest) {
    return this.page(tenantId, null, query, request);
  }

  @Get('search')
  unitSearches(@Req() request: FastifyRequest) {
    return springSearches(
      '/meter/units',
      { findLikeName: ['name', 'page', 'size', 'sort'], findByName: ['name'] },
      request,
    );
  }

  @Get('search/findLikeName')
  findLikeName(@Query() query: NameQuery, @RequestCtx() { tenantId }: RequestContext, @Req() request: FastifyRequest) {
    return this.page(tenantId, query.name, query, request);
  }

  @Get('search/findByName')
  async findByName(
    @Query() { name }: NameQuery,
    @RequestCtx() { tenantId }: RequestContext,
    @Req() request: FastifyRequest,
  ) {
    return unitJson(
      await this.existing(name, () => unitByName(this.metering.runtime.database, tenantId, name)),
      collection(request),
    );
  }

  @Get(':id')
  async show(@Param('id') id: string, @RequestCtx() { tenantId }: RequestContext, @Req() request: FastifyRequest) {
    return unitJson(await this.byId(tenantId, id), collection(request));
  }

  @Post()
  @HttpCode(201)
  async define(
    @Body() { name, countingMethod, rules }: UnitRequest,
    @RequestCtx() context: RequestContext,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const unitId = unitIdOf(context.tenantId, name);
    const at = this.metering.runtime.clock.now(context.tenantId);
    const ruled = (rules ?? []).map((rule) => ruleOf(rule, countingMethod));
    await this.command(
      context,
      { unitId, name },
      { type: 'DefineUnit', unitId, name, countingMethod, rules: ruled, at },
    );
    const defined = unitJson(await this.byId(context.tenantId, unitId), collection(request));
    void reply.header('Location', defined._links.self.href);
    return defined;
  }

  @Put(':id')
  async replace(
    @Param('id') id: string,
    @Body() body: UnitPatch,
    @RequestCtx() context: RequestContext,
    @Req() request: FastifyRequest,
  ) {
    const { name, countingMethod, rules } = body;
    return this.change(
      await this.byId(context.tenantId, id),
      { name, countingMethod, rules: rules ?? [] },
      context,
      request,
    );
  }

  @Patch(':id')
  async patch(
    @Param('id') id: string,
    @Body() body: UnitPatch,
    @RequestCtx() context: RequestContext,
    @Req() request: FastifyRequest,
  ) {
    return this.change(await this.byId(context.tenantId, id), body, context, request);
  }

  @Delete(':id')
  @HttpCode(204)
  async remove(@Param('id') id: string, @RequestCtx() context: RequestContext): Promise<void> {
    const known = await this.byId(context.tenantId, id);
    await this.command(context, known, { type: 'RemoveUnit', at: this.metering.runtime.clock.now(context.tenantId) });
  }

  /** The rules are what can be changed: records are counted under the unit's name, and read by its counting method. */
  private async change(
    known: UnitView,
    { name, countingMethod, rules }: Changes,
    context: RequestContext,
    request: FastifyRequest,
  ) {
    fixed('name', known.name, name);
    fixed('countingMethod', known.countingMethod, countingMethod);
    if (rules != null) {
      const method: CountingMethod = known.countingMethod;
      const at = this.metering.runtime.clock.now(context.tenantId);
      await this.command(context, known, {
        type: 'ReplaceRules',
        rules: rules.map((rule) => ruleOf(rule, method)),
        at,
      });
    }
    return unitJson(await this.byId(context.tenantId, known.unitId), collection(request));
  }

  private async command(
    context: RequestContext,
    { unitId, name }: Pick<UnitView, 'unitId' | 'name'>,
    command: UnitCommand,
  ): Promise<void> {
    const { runtime, unit } = this.metering;
    const handled = await unit(unitStream(unitId), command, commandContext(context, runtime.clock));
    await runtime.visible(unwrap(handled, unitProblem(name)).position);
  }

  private byId(tenantId: string, text: string): Promise<UnitView> {
    const unitId = parseUuid(text);
    return this.existing(text, async () =>
      unitId === null ? null : unitById(this.metering.runtime.database, tenantId, unitId),
    );
  }

  /** Looks, and looks once more when the read model has caught up: what was just written is never denied. */
  private async existing(named: string, look: () => Promise<UnitView | null>): Promise<UnitView> {
    const seen = await look();
    if (seen !== null) return seen;
    await this.metering.runtime.caughtUp();
    const found = await look();
    if (found === null) throw unknownUnit(named);
    return found;
  }

  private async page(tenantId: string, nameLike: string | null, query: PageQuery, request: FastifyRequest) {
    const { units, total } = await unitsPage(this.metering.runtime.database, tenantId, {
      nameLike,
      ...askedPage(query),
    });
    const items = units.map((unit) => unitJson(unit, collection(request)));
    return springPage({ path: '/meter/units', items, total }, query, request);
  }
}

const fixed = (field: string, known: string, sent: string | null | undefined): void => {
  if (sent != null && sent !== known) throw invalidField(`/${field}`, `cannot be changed; it is ${known}`);
};
