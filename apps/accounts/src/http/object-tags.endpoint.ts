import { objectTagsStream, parkTagId, parkTagName } from '@billstream/accounts-domain';
import { tagDefinitionsByIds, tagsOfObject } from '@billstream/accounts-read-models';
import { type RequestContext, RequestCtx, locationOf, requestContextOf, unwrap } from '@billstream/http';
import { parseUuid } from '@billstream/kernel';
import { Controller, Delete, Get, HttpCode, Inject, Param, Post, Query, Req, Res, type Type } from '@nestjs/common';
import { ApiBody } from '@nestjs/swagger';
import { IsOptional } from 'class-validator';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Accounts, accountsToken, stepOf } from '../accounts';
import { AuditQuery, withAuditLogs } from './audit-logs';
import { invalidValue, tagProblem, unknownTagDefinition } from './problems';
import { type Taggable, existingObject, taggables } from './taggable';
import { isTrue, listIn } from './query-values';
import { tagJson } from './tag-json';

class TagsQuery extends AuditQuery {
  @IsOptional() readonly includedDeleted?: unknown;
}

/** `tagDef` is Kill Bill's parameter since 0.20, `tagList` (ids with commas) the one before. */
class TagIdsQuery {
  @IsOptional() readonly tagDef?: unknown;
  @IsOptional() readonly tagList?: unknown;
}

/** Tags of one kind of object. One controller a kind, so that each has its path and its name in the API's description. */
const endpointFor = ({ path, parameter, objectType }: Taggable): Type => {
  @Controller(`1.0/kb/${path}`)
  class ObjectTagsEndpoint {
    constructor(@Inject(accountsToken) private readonly accounts: Accounts) {}

    @Get(`:${parameter}/tags`)
    async tags(@Param(parameter) id: string, @Query() query: TagsQuery, @RequestCtx() { tenantId }: RequestContext) {
      const { accounts } = this;
      const object = await existingObject(accounts, tenantId, { objectType, id });
      const tags = await tagsOfObject(accounts.runtime.database, tenantId, object, isTrue(query.includedDeleted));
      return withAuditLogs(accounts, { tenantId, query }, tags.map(tagJson));
    }

    @Post(`:${parameter}/tags`)
    @HttpCode(201)
    @ApiBody({ schema: { type: 'array', items: { type: 'string', format: 'uuid' } } })
    async addTags(
      @Param(parameter) id: string,
      @Query() query: TagIdsQuery,
      @Req() request: FastifyRequest,
      @Res({ passthrough: true }) reply: FastifyReply,
    ): Promise<void> {
      const { accounts } = this;
      const context = requestContextOf(request);
      const ids = idsOf(
        listed(request.body ?? query.tagList),
        'the body must be a JSON array of ids of tag definitions',
      );
      const object = await existingObject(accounts, context.tenantId, { objectType, id });
      const tags = await namedTags(accounts, context.tenantId, ids);
      const step = stepOf(context, accounts, 'tags');
      const added = await accounts.objectTags(
        objectTagsStream(object.objectId),
        { type: 'AddTags', data: { object, tags, seed: step.commandId } },
        step,
      );
      await accounts.runtime.visible(unwrap(added, tagProblem).position);
      void reply.header('Location', locationOf(request, `/1.0/kb/${path}/${object.objectId}/tags`));
    }

    @Delete(`:${parameter}/tags`)
    async removeTags(
      @Param(parameter) id: string,
      @Query() query: TagIdsQuery,
      @RequestCtx() context: RequestContext,
      @Res({ passthrough: true }) reply: FastifyReply,
    ): Promise<void> {
      const { accounts } = this;
      const isModern = query.tagList === undefined;
      const ids = idsOf(listIn(query.tagDef ?? query.tagList), 'tagDef must name tag definitions');
      const object = await existingObject(accounts, context.tenantId, { objectType, id });
      const tags = await namedTags(accounts, context.tenantId, ids);
      const removed = await accounts.objectTags(
        objectTagsStream(object.objectId),
        { type: 'RemoveTags', data: { tags } },
        stepOf(context, accounts, 'tags'),
      );
      await accounts.runtime.visible(unwrap(removed, tagProblem).position);
      void reply.status(isModern ? 204 : 200);
    }
  }
  return ObjectTagsEndpoint;
};

export const objectTagsEndpoints: readonly Type[] = taggables.map(endpointFor);

/** A JSON array, or the older parameter's ids with commas. */
const listed = (value: unknown): readonly unknown[] => {
  const isList = Array.isArray(value) || typeof value === 'string';
  if (!isList) throw invalidValue('the body must be a JSON array of ids of tag definitions');
  return Array.isArray(value) ? (value as readonly unknown[]) : listIn(value);
};

const idsOf = (texts: readonly unknown[], detail: string): readonly string[] =>
  texts.map((text) => {
    const id = typeof text === 'string' ? parseUuid(text.trim()) : null;
    if (id === null) throw invalidValue(`${detail}: ${String(text)} is none`);
    return id;
  });

/** The definitions of the ids, or Kill Bill's 404 for the first that is none of the tenant. */
const namedTags = async (accounts: Accounts, tenantId: string, ids: readonly string[]) => {
  const { runtime } = accounts;
  let known = await tagDefinitionsByIds(runtime.database, tenantId, ids);
  if (known.length < new Set(ids).size) {
    await runtime.caughtUp();
    known = await tagDefinitionsByIds(runtime.database, tenantId, ids);
  }
  return ids.map((id) => {
    if (id === parkTagId) return { tagDefinitionId: id, tagDefinitionName: parkTagName };
    const definition = known.find(({ tagDefinitionId }) => tagDefinitionId === id);
    if (definition === undefined) throw unknownTagDefinition(id);
    return { tagDefinitionId: id, tagDefinitionName: definition.name };
  });
};
