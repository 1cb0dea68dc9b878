import { type ObjectFieldsCommand, type TaggedObject, objectFieldsStream } from '@billstream/accounts-domain';
import { customFieldsOfObject } from '@billstream/accounts-read-models';
import type { CommandContext } from '@billstream/event-sourcing';
import { type RequestContext, RequestCtx, listOf, locationOf, requestContextOf, unwrap } from '@billstream/http';
import { parseUuid } from '@billstream/kernel';
import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Inject,
  Param,
  Post,
  Put,
  Query,
  Req,
  Res,
  type Type,
} from '@nestjs/common';
import { ApiBody } from '@nestjs/swagger';
import { IsNotEmpty, IsOptional, IsString, MaxLength } from 'class-validator';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Accounts, accountsToken, stepOf } from '../accounts';
import { AuditQuery, withAuditLogs } from './audit-logs';
import { customFieldJson } from './custom-field-json';
import { customFieldProblem, invalidValue } from './problems';
import { listIn } from './query-values';
import { type Taggable, existingObject, taggables } from './taggable';
import { IsId } from './validators';

/** Lengths are those of Kill Bill's columns. */
class NewCustomField {
  @IsString() @IsNotEmpty() @MaxLength(64) readonly name!: string;
  @IsString() @MaxLength(255) readonly value!: string;
}

class ChangedCustomField {
  @IsId() readonly customFieldId!: string;
  @IsOptional() @IsString() readonly name?: string | null;
  @IsString() @MaxLength(255) readonly value!: string;
}

/** `customField` is Kill Bill's parameter since 0.20, `customFieldList` (ids with commas) the one before. */
class FieldIdsQuery {
  @IsOptional() readonly customField?: unknown;
  @IsOptional() readonly customFieldList?: unknown;
}

/** Custom fields of one kind of object; one controller a kind, as for tags. */
const endpointFor = ({ path, parameter, objectType }: Taggable): Type => {
  @Controller(`1.0/kb/${path}`)
  class ObjectFieldsEndpoint {
    constructor(@Inject(accountsToken) private readonly accounts: Accounts) {}

    @Get(`:${parameter}/customFields`)
    async fields(@Param(parameter) id: string, @Query() query: AuditQuery, @RequestCtx() { tenantId }: RequestContext) {
      const { accounts } = this;
      const object = await existingObject(accounts, tenantId, { objectType, id });
      const fields = await customFieldsOfObject(accounts.runtime.database, tenantId, object);
      return withAuditLogs(accounts, { tenantId, query }, fields.map(customFieldJson));
    }

    @Post(`:${parameter}/customFields`)
    @HttpCode(201)
    @ApiBody({ type: [NewCustomField] })
    async addFields(
      @Param(parameter) id: string,
      @Body(listOf(NewCustomField)) fields: NewCustomField[],
      @Req() request: FastifyRequest,
      @Res({ passthrough: true }) reply: FastifyReply,
    ): Promise<void> {
      const { accounts } = this;
      const context = requestContextOf(request);
      const object = await existingObject(accounts, context.tenantId, { objectType, id });
      const step = stepOf(context, accounts, 'fields');
      const wanted = fields.map(({ name, value }) => ({ name, value }));
      const data = { object, fields: wanted, seed: step.commandId };
      await done(accounts, step, object, { type: 'AddCustomFields', data });
      void reply.header('Location', locationOf(request, `/1.0/kb/${path}/${object.objectId}/customFields`));
    }

    @Put(`:${parameter}/customFields`)
    @HttpCode(204)
    @ApiBody({ type: [ChangedCustomField] })
    async changeFields(
      @Param(parameter) id: string,
      @Body(listOf(ChangedCustomField)) fields: ChangedCustomField[],
      @RequestCtx() context: RequestContext,
    ): Promise<void> {
      const { accounts } = this;
      const object = await existingObject(accounts, context.tenantId, { objectType, id });
      const wanted = fields.map(({ customFieldId, name, value }) => ({
        customFieldId: customFieldId.toLowerCase(),
        name: name ?? null,
        value,
      }));
      const step = stepOf(context, accounts, 'fields');
      await done(accounts, step, object, { type: 'ChangeCustomFields', data: { fields: wanted } });
    }

    @Delete(`:${parameter}/customFields`)
    async removeFields(
      @Param(parameter) id: string,
      @Query() query: FieldIdsQuery,
      @RequestCtx() context: RequestContext,
      @Res({ passthrough: true }) reply: FastifyReply,
    ): Promise<void> {
      const { accounts } = this;
      const named = query.customField ?? query.customFieldList;
      const customFieldIds = named === undefined ? null : listIn(named).map(fieldId);
      const object = await existingObject(accounts, context.tenantId, { objectType, id });
      const step = stepOf(context, accounts, 'fields');
      await done(accounts, step, object, { type: 'RemoveCustomFields', data: { customFieldIds } });
      void reply.status(query.customFieldList === undefined ? 204 : 200);
    }
  }
  return ObjectFieldsEndpoint;
};

/** Ends when the read models show what was done. */
const done = async (
  accounts: Accounts,
  step: CommandContext,
  { objectId }: TaggedObject,
  command: ObjectFieldsCommand,
): Promise<void> => {
  const handled = await accounts.objectFields(objectFieldsStream(objectId), command, step);
  await accounts.runtime.visible(unwrap(handled, customFieldProblem).position);
};

export const objectFieldsEndpoints: readonly Type[] = taggables.map(endpointFor);

const fieldId = (text: string): string => {
  const id = parseUuid(text.trim());
  if (id === null) throw invalidValue(`customField must be an id: ${text} is none`);
  return id;
};
