import { type RequestContext, locationOf, requestContextOf } from '@billstream/http';
import { derivedId, instantOf, parseLocalDate, parseUuid } from '@billstream/kernel';
import { bundleDecider, isHandedOverBy } from '@billstream/subscriptions-domain';
import { Body, Controller, HttpCode, Inject, Param, Post, Put, Query, Res } from '@nestjs/common';
import { Type } from 'class-transformer';
import { IsArray, IsIn, IsOptional, IsString, Length, ValidateNested } from 'class-validator';
import type { FastifyReply } from 'fastify';
import { changeAccount } from '../account-changes';
import { type Subscriptions, subscriptionsToken } from '../subscriptions';
import { findBundle } from './find-bundle';
import { bundleProblem, invalidValue, unknownAccount } from './problems';

class RenamedSubscription {
  @IsString() readonly subscriptionId!: string;
  @IsOptional() @IsString() @Length(1, 255) readonly externalKey?: string | null;
}

class TransferRequest {
  /** Who gets the bundle. */
  @IsString() readonly accountId!: string;
  /** New external keys for the subscriptions; others are called by their new ids. */
  @IsOptional() @IsArray() @ValidateNested({ each: true }) @Type(() => RenamedSubscription) readonly subscriptions?:
    RenamedSubscription[] | null;
}

const policies = ['IMMEDIATE', 'END_OF_TERM'] as const;
const dayTransfers = ['NONE', 'USE_EXISTING', 'ALIGN_WITH_EFF_DT'] as const;

class TransferQuery {
  @IsOptional() @IsString() readonly requestedDate?: string;
  @IsOptional() @IsIn(policies) readonly billingPolicy?: (typeof policies)[number];
  @IsOptional() @IsIn(dayTransfers) readonly bcdTransfer?: (typeof dayTransfers)[number];
}

/** Moves what lives of a bundle to another account: a new bundle with the same key goes on with it (Kill Bill 2.8). */
@Controller('1.0/kb/bundles')
export class TransferBundleEndpoint {
  constructor(@Inject(subscriptionsToken) private readonly subscriptions: Subscriptions) {}

  @Post(':bundleId')
  @HttpCode(201)
  async transferBundle(
    @Param('bundleId') id: string,
    @Body() body: TransferRequest,
    @Query() query: TransferQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const bundleId = await this.transfer(id, body, query, requestContextOf(reply.request));
    void reply.header('Location', locationOf(reply.request, `/1.0/kb/bundles/${bundleId}`));
  }

  /** Kill Bill before 0.19.16. */
  @Put(':bundleId')
  @HttpCode(201)
  async putTransferredBundle(
    @Param('bundleId') id: string,
    @Body() body: TransferRequest,
    @Query() query: TransferQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    await this.transferBundle(id, body, query, reply);
  }

  private async transfer(
    id: string,
    body: TransferRequest,
    query: TransferQuery,
    context: RequestContext,
  ): Promise<string> {
    const { subscriptions } = this;
    const { tenantId } = context;
    const source = await findBundle(subscriptions, tenantId, id);
    const toAccountId = parseUuid(body.accountId);
    const [from, to] = await Promise.all([
      subscriptions.accountOf(tenantId, source.accountId),
      toAccountId === null ? null : subscriptions.accountOf(tenantId, toAccountId),
    ]);
    if (to === null || from === null) throw unknownAccount(body.accountId);
    if (to.accountId === source.accountId)
      throw invalidValue(`accountId: bundle ${source.bundleId} belongs to account ${to.accountId} already`);
    const transferId = derivedId(context.commandId, 'transfer');
    const now = subscriptions.now(tenantId);
    const requested = dateFrom(query);
    const handOver = {
      transferId,
      effectiveAt: requested === null ? now : instantOf(requested, source.time),
      billing: query.billingPolicy ?? ('END_OF_TERM' as const),
    };
    const judged = bundleDecider.decide({ type: 'HandOverBundle', data: { ...handOver, now } }, source);
    const toBundleId = derivedId(transferId, 'bundle');
    // A repeated request finds the bundle handed over by itself; the change knows what was answered then.
    const isRepeated = source.subscriptions.some((one) => isHandedOverBy(transferId, one));
    if ('rejected' in judged && !isRepeated) throw bundleProblem(judged.rejected);
    await changeAccount(subscriptions, context, source.accountId, {
      kind: 'TRANSFER',
      ...handOver,
      fromBundleId: source.bundleId,
      toBundleId,
      toAccountId: to.accountId,
      isRepriced: to.currency !== from.currency,
      billCycleDay: query.bcdTransfer ?? 'USE_EXISTING',
      externalKeys: keysFrom(body),
    });
    return toBundleId;
  }
}

const keysFrom = ({ subscriptions }: TransferRequest): Readonly<Record<string, string>> =>
  Object.fromEntries(
    (subscriptions ?? []).flatMap(({ subscriptionId, externalKey }) =>
      externalKey === undefined || externalKey === null ? [] : [[subscriptionId.toLowerCase(), externalKey]],
    ),
  );

const dateFrom = ({ requestedDate }: TransferQuery) => {
  if (requestedDate === undefined || requestedDate === '') return null;
  const day = parseLocalDate(requestedDate);
  if (day === null) throw invalidValue(`requestedDate: ${requestedDate} is not a date`);
  return day;
};
