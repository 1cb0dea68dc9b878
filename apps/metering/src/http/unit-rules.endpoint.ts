import { ProblemException, RequestCtx, type RequestContext, commandContext, unwrap } from '@billstream/http';
import { type Instant, parseInstant } from '@billstream/kernel';
import { unitIdOf, unitStream, versionInForce } from '@billstream/metering-domain';
import { unitByName, unitVersions } from '@billstream/metering-read-models';
import { Body, Controller, Get, Inject, Param, ParseIntPipe, Put } from '@nestjs/common';
import { Type } from 'class-transformer';
import { ArrayMaxSize, IsArray, IsObject, IsOptional, IsString, ValidateNested } from 'class-validator';
import { type Metering, meteringToken } from '../metering';
import { invalidField, unitProblem, unknownUnit } from './problems';
import { RuleRequest, ruleJson, ruleOf } from './unit-json';

class RulesRequest {
  @IsArray()
  @ArrayMaxSize(1000)
  @IsObject({ each: true })
  @ValidateNested({ each: true })
  @Type(() => RuleRequest)
  readonly rules!: RuleRequest[];
  /** When they come into force, past or future; left out: now. */
  @IsOptional() @IsString() readonly effectiveAt?: string | null;
}

/** Every version of a unit's rules with the time from which it holds; each is written once and never changed. */
@Controller('v1/units/:name/rules')
export class UnitRulesEndpoint {
  constructor(@Inject(meteringToken) private readonly metering: Metering) {}

  @Get()
  async listRules(@Param('name') name: string, @RequestCtx() { tenantId }: RequestContext) {
    const { runtime } = this.metering;
    const { database, clock } = runtime;
    let versions = await unitVersions(database, tenantId, name);
    if (versions.length === 0) {
      await runtime.caughtUp();
      versions = await unitVersions(database, tenantId, name);
    }
    const inForce = versionInForce(versions, clock.now(tenantId));
    if (inForce === undefined) throw unknownUnit(name);
    return {
      unit: name,
      countingMethod: inForce.countingMethod,
      inForce: inForce.version,
      versions: versions.map(({ version, effectiveAt, countingMethod, rules }) => ({
        version,
        effectiveAt,
        rules: rules?.map((rule) => ruleJson(rule, countingMethod)) ?? null,
      })),
    };
  }

  /** Writes the next version. Whoever names another number has not seen the newest one. */
  @Put(':version')
  async writeRules(
    @Param('name') name: string,
    @Param('version', ParseIntPipe) version: number,
    @Body() body: RulesRequest,
    @RequestCtx() context: RequestContext,
  ) {
    const { runtime, unit } = this.metering;
    const { tenantId } = context;
    await runtime.caughtUp();
    const known = await unitByName(runtime.database, tenantId, name);
    if (known === null) throw unknownUnit(name);
    const command = {
      type: 'ReplaceRules' as const,
      rules: body.rules.map((rule) => ruleOf(rule, known.countingMethod)),
      at: runtime.clock.now(tenantId),
      version,
      ...effectiveOf(body.effectiveAt),
    };
    const stream = unitStream(unitIdOf(tenantId, name));
    const handled = await unit(stream, command, commandContext(context, runtime.clock));
    await runtime.visible(unwrap(handled, unitProblem(name)).position);
    const written = (await unitVersions(runtime.database, tenantId, name)).find((one) => one.version === version);
    if (written === undefined)
      throw new ProblemException({ status: 503, code: 'not-visible', detail: 'It is written and not yet to be read' });
    const { effectiveAt, countingMethod, rules } = written;
    return { unit: name, version, effectiveAt, rules: rules?.map((rule) => ruleJson(rule, countingMethod)) ?? null };
  }
}

const effectiveOf = (text: string | null | undefined): { readonly effectiveAt?: Instant } => {
  if (text === undefined || text === null) return {};
  const effectiveAt = parseInstant(text);
  if (effectiveAt === null) throw invalidField('/effectiveAt', 'is an ISO 8601 instant');
  return { effectiveAt };
};
