import { type ObjectType, objectTypes, tagDefinitionsStream } from '@billstream/accounts-domain';
import { isTagDefinitionUsed, tagDefinitionsByIds, tagDefinitionsOf } from '@billstream/accounts-read-models';
import { type RequestContext, RequestCtx, locationOf, requestContextOf, unwrap } from '@billstream/http';
import { derivedId, parseUuid } from '@billstream/kernel';
import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ArrayNotEmpty, IsArray, IsIn, IsNotEmpty, IsString, MaxLength } from 'class-validator';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Accounts, accountsToken, stepOf } from '../accounts';
import { AuditQuery, withAuditLogs } from './audit-logs';
import { lookTwice } from './find-account';
import { tagDefinitionProblem, unknownTagDefinition } from './problems';
import { tagDefinitionJson } from './tag-json';

/** Lengths are those of Kill Bill's columns. */
class TagDefinitionRequest {
  @IsString() @IsNotEmpty() @MaxLength(20) readonly name!: string;
  @IsString() @MaxLength(200) readonly description!: string;
  @IsArray() @ArrayNotEmpty() @IsIn(objectTypes, { each: true }) readonly applicableObjectTypes!: ObjectType[];
}

@Controller('1.0/kb/tagDefinitions')
export class TagDefinitionsEndpoint {
  constructor(@Inject(accountsToken) private readonly accounts: Accounts) {}

  @Get()
  async definitions(@Query() query: AuditQuery, @RequestCtx() { tenantId }: RequestContext) {
    const { accounts } = this;
    const definitions = await tagDefinitionsOf(accounts.runtime.database, tenantId);
    return withAuditLogs(accounts, { tenantId, query }, definitions.map(tagDefinitionJson));
  }

  @Get(':tagDefinitionId')
  async definition(
    @Param('tagDefinitionId') text: string,
    @Query() query: AuditQuery,
    @RequestCtx() { tenantId }: RequestContext,
  ) {
    const { accounts } = this;
    const { database } = accounts.runtime;
    const id = parseUuid(text);
    const look = async () => (id === null ? null : ((await tagDefinitionsByIds(database, tenantId, [id]))[0] ?? null));
    const found = await lookTwice(accounts, look);
    if (found === null) throw unknownTagDefinition(text);
    const [json] = await withAuditLogs(accounts, { tenantId, query }, [tagDefinitionJson(found)]);
    return json;
  }

  @Post()
  @HttpCode(201)
  async create(
    @Body() { name, description, applicableObjectTypes }: TagDefinitionRequest,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const { accounts } = this;
    const context = requestContextOf(request);
    const tagDefinitionId = derivedId(context.commandId, 'tag-definition');
    const data = { tagDefinitionId, name, description, applicableObjectTypes: [...new Set(applicableObjectTypes)] };
    const created = await accounts.tagDefinitions(
      tagDefinitionsStream(context.tenantId),
      { type: 'CreateTagDefinition', data },
      stepOf(context, accounts, 'create'),
    );
    await accounts.runtime.visible(unwrap(created, tagDefinitionProblem).position);
    void reply.header('Location', locationOf(request, `/1.0/kb/tagDefinitions/${tagDefinitionId}`));
  }

  @Delete(':tagDefinitionId')
  @HttpCode(204)
  async remove(@Param('tagDefinitionId') text: string, @RequestCtx() context: RequestContext): Promise<void> {
    const { accounts } = this;
    const { tenantId } = context;
    const tagDefinitionId = parseUuid(text);
    if (tagDefinitionId === null) throw unknownTagDefinition(text);
    await accounts.runtime.caughtUp();
    const isUsed = await isTagDefinitionUsed(accounts.runtime.database, tenantId, tagDefinitionId);
    const removed = await accounts.tagDefinitions(
      tagDefinitionsStream(tenantId),
      { type: 'DeleteTagDefinition', data: { tagDefinitionId, isUsed } },
      stepOf(context, accounts, 'delete'),
    );
    await accounts.runtime.visible(unwrap(removed, tagDefinitionProblem).position);
  }
}
