import { AuditQuery, type RequestContext, RequestCtx, locationOf, requestContextOf } from '@billstream/http';
import { derivedId, parseUuid } from '@billstream/kernel';
import { accountBlockingStates, bundlesOfAccount } from '@billstream/subscriptions-read-models';
import { Body, Controller, Get, HttpCode, Inject, Param, Post, Put, Query, Res } from '@nestjs/common';
import { IsOptional } from 'class-validator';
import type { FastifyReply } from 'fastify';
import { changeAccount } from '../account-changes';
import { type Subscriptions, subscriberOf, subscriptionsToken } from '../subscriptions';
import {
  BlockingStateRequest,
  RequestedDateQuery,
  blockingStateJson,
  flagsOf,
  statesOfBundle,
} from './blocking-states';
import { invalidValue, unknownAccount } from './problems';
import { whenFrom } from './requests';

class StatesQuery extends AuditQuery {
  @IsOptional() readonly blockingStateTypes?: string | string[];
  @IsOptional() readonly blockingStateSvcs?: string | string[];
}

const types = ['ACCOUNT', 'SUBSCRIPTION_BUNDLE', 'SUBSCRIPTION'];

/** Repeated or separated by commas; null: all. */
const listed = (value: string | readonly string[] | undefined): readonly string[] | null => {
  const all = [value ?? []].flat().flatMap((text) => text.split(','));
  const given = all.filter((text) => text !== '');
  return given.length === 0 ? null : given;
};

/** What blocks an account, set on it as a whole or, to be read, on any of its bundles and subscriptions. */
@Controller('1.0/kb/accounts/:accountId/block')
export class BlockAccountEndpoint {
  constructor(@Inject(subscriptionsToken) private readonly subscriptions: Subscriptions) {}

  @Post()
  @HttpCode(201)
  async addAccountBlockingState(
    @Param('accountId') accountId: string,
    @Body() body: BlockingStateRequest,
    @Query() query: RequestedDateQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const id = await this.block(accountId, body, query, requestContextOf(reply.request));
    void reply.header('Location', locationOf(reply.request, `/1.0/kb/accounts/${id}/block?blockingStateTypes=ACCOUNT`));
  }

  /** Kill Bill before 0.19.16. */
  @Put()
  @HttpCode(200)
  async putAccountBlockingState(
    @Param('accountId') accountId: string,
    @Body() body: BlockingStateRequest,
    @Query() query: RequestedDateQuery,
    @RequestCtx() context: RequestContext,
  ): Promise<void> {
    await this.block(accountId, body, query, context);
  }

  @Get()
  async getBlockingStates(
    @Param('accountId') accountId: string,
    @Query() query: StatesQuery,
    @RequestCtx() { tenantId }: RequestContext,
  ) {
    const { runtime } = this.subscriptions;
    const facts = await this.account(accountId, tenantId);
    const wantedTypes = listed(query.blockingStateTypes);
    const wrong = wantedTypes?.find((type) => !types.includes(type));
    if (wrong !== undefined) throw invalidValue(`blockingStateTypes: ${wrong} is not one of ${types.join(', ')}`);
    const services = listed(query.blockingStateSvcs);
    const bundles = await bundlesOfAccount(runtime.database, tenantId, facts.accountId);
    const ofAccount = await accountBlockingStates(runtime.database, tenantId, facts.accountId);
    return [...ofAccount, ...bundles.flatMap(statesOfBundle)]
      .filter(({ type, service }) => (wantedTypes?.includes(type) ?? true) && (services?.includes(service) ?? true))
      .sort((a, b) => (a.effectiveAt < b.effectiveAt ? -1 : a.effectiveAt > b.effectiveAt ? 1 : 0))
      .map(blockingStateJson);
  }

  private async account(accountId: string, tenantId: string) {
    const id = parseUuid(accountId);
    const facts = id === null ? null : await this.subscriptions.accountOf(tenantId, id);
    if (facts === null) throw unknownAccount(accountId);
    return facts;
  }

  private async block(
    accountId: string,
    body: BlockingStateRequest,
    { requestedDate }: RequestedDateQuery,
    context: RequestContext,
  ): Promise<string> {
    const flags = flagsOf(body);
    const facts = await this.account(accountId, context.tenantId);
    const effectiveAt =
      whenFrom('requestedDate', requestedDate, subscriberOf(facts).time) ?? this.subscriptions.now(context.tenantId);
    const state = {
      ...flags,
      blockingId: derivedId(context.commandId, 'blocking-state'),
      type: 'ACCOUNT' as const,
      blockedId: facts.accountId,
      effectiveAt,
    };
    await changeAccount(this.subscriptions, context, facts.accountId, { kind: 'BLOCK', state });
    return facts.accountId;
  }
}
