import { AuditQuery, Paged, type PagedRequest, type RequestContext, RequestCtx } from '@billstream/http';
import {
  type PageOfBundles,
  bundlesByKey,
  bundlesOfAccount,
  pageOfAccountBundles,
  pageOfBundles,
  searchBundles,
} from '@billstream/subscriptions-read-models';
import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import { Type } from 'class-transformer';
import { IsIn, IsInt, IsOptional, IsString, Max, Min } from 'class-validator';
import { type Subscriptions, subscriptionsToken } from '../subscriptions';
import { findBundle, listViewOf, viewOf } from './find-bundle';
import { invalidValue, unknownAccount, unknownBundleKey } from './problems';
import { bundleJson, liveOnly } from './subscription-json';

class PageQuery extends AuditQuery {
  @IsOptional() @Type(() => Number) @IsInt() @Min(0) readonly offset: number = 0;
  @IsOptional() @Type(() => Number) @IsInt() @Min(-10_000) @Max(10_000) readonly limit: number = 100;
}
class KeyQuery extends AuditQuery {
  @IsOptional() @IsString() readonly externalKey?: string;
  @IsOptional() @IsIn(['true', 'false']) readonly includedDeleted?: string;
}
class AccountBundlesQuery extends AuditQuery {
  @IsOptional() @IsString() readonly externalKey?: string;
  @IsOptional() @IsString() readonly bundlesFilter?: string;
}

type Asked = { readonly query: PageQuery; readonly paged: PagedRequest };

@Controller('1.0/kb')
export class GetBundlesEndpoint {
  constructor(@Inject(subscriptionsToken) private readonly subscriptions: Subscriptions) {}

  /** An array with the one living bundle; with `includedDeleted` all that ever had the key. */
  @Get('bundles')
  async byKey(@Query() { externalKey, includedDeleted }: KeyQuery, @RequestCtx() { tenantId }: RequestContext) {
    if (externalKey === undefined || externalKey === '') throw invalidValue('externalKey: must be given');
    const { runtime } = this.subscriptions;
    await runtime.caughtUp();
    const all = await bundlesByKey(runtime.database, tenantId, externalKey);
    if (includedDeleted === 'true')
      return all.map((bundle) => bundleJson(bundle, listViewOf(this.subscriptions.now(tenantId))));
    const living = liveOnly(all, externalKey, this.subscriptions.now(tenantId));
    if (living.length === 0) throw unknownBundleKey(externalKey);
    return Promise.all(
      living.map(async (bundle) => bundleJson(bundle, await viewOf(this.subscriptions, tenantId, bundle))),
    );
  }

  @Get('bundles/pagination')
  async list(@Query() query: PageQuery, @Paged() paged: PagedRequest) {
    const { tenantId } = paged;
    return this.answer(await pageOfBundles(this.subscriptions.runtime.database, tenantId, query), { query, paged });
  }

  @Get('bundles/search/:searchKey')
  async search(@Param('searchKey') key: string, @Query() query: PageQuery, @Paged() paged: PagedRequest) {
    const { tenantId } = paged;
    return this.answer(
      await searchBundles(this.subscriptions.runtime.database, tenantId, {
        key,
        offset: query.offset,
        limit: query.limit,
      }),
      { query, paged },
    );
  }

  @Get('bundles/:bundleId')
  async byId(@Param('bundleId') id: string, @Query() _: AuditQuery, @RequestCtx() { tenantId }: RequestContext) {
    const bundle = await findBundle(this.subscriptions, tenantId, id);
    return bundleJson(bundle, await viewOf(this.subscriptions, tenantId, bundle));
  }

  @Get('accounts/:accountId/bundles/pagination')
  async listOfAccount(@Param('accountId') accountId: string, @Query() query: PageQuery, @Paged() paged: PagedRequest) {
    const { runtime } = this.subscriptions;
    const { tenantId } = paged;
    const facts = await this.subscriptions.accountOf(tenantId, accountId.toLowerCase());
    if (facts === null) throw unknownAccount(accountId);
    const page = await pageOfAccountBundles(runtime.database, tenantId, {
      accountId: facts.accountId,
      offset: query.offset,
      limit: query.limit,
    });
    return this.answer(page, { query, paged });
  }

  @Get('accounts/:accountId/bundles')
  async ofAccount(
    @Param('accountId') accountId: string,
    @Query() query: AccountBundlesQuery,
    @RequestCtx() { tenantId }: RequestContext,
  ) {
    const { subscriptions } = this;
    const facts = await subscriptions.accountOf(tenantId, accountId.toLowerCase());
    if (facts === null) throw unknownAccount(accountId);
    const view = {
      now: subscriptions.now(tenantId),
      billCycleDayLocal: facts.billCycleDayLocal,
      withPrices: true,
    };
    const wanted =
      query.bundlesFilter === undefined || query.bundlesFilter === '' ? null : new Set(query.bundlesFilter.split(','));
    const bundles = await bundlesOfAccount(subscriptions.runtime.database, tenantId, facts.accountId);
    return bundles
      .filter(
        ({ bundleId, externalKey }) =>
          (wanted === null || wanted.has(bundleId)) &&
          (query.externalKey === undefined || query.externalKey === externalKey),
      )
      .map((bundle) => bundleJson(bundle, view));
  }

  private answer({ bundles, total, max }: PageOfBundles, { query, paged }: Asked) {
    const { tenantId } = paged;
    paged.paginate({ offset: query.offset, limit: query.limit, total, max });
    const view = listViewOf(this.subscriptions.now(tenantId));
    return bundles.map((bundle) => bundleJson(bundle, view));
  }
}
