import { type Slice, type TagView, searchTags, tagsOfAccount, tagsPage } from '@billstream/accounts-read-models';
import { Paged, type PagedRequest, type RequestContext, RequestCtx } from '@billstream/http';
import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import { IsOptional, IsString } from 'class-validator';
import { type Accounts, accountsToken } from '../accounts';
import { AuditQuery, withAuditLogs } from './audit-logs';
import { existingAccount } from './find-account';
import { PageQuery, isTrue } from './query-values';
import { tagJson } from './tag-json';

class AllTagsQuery extends AuditQuery {
  @IsOptional() @IsString() readonly objectType?: string;
  @IsOptional() readonly includedDeleted?: unknown;
}

type Asked = { readonly query: PageQuery; readonly paged: PagedRequest };

/** Tags across objects. */
@Controller('1.0/kb')
export class TagsEndpoint {
  constructor(@Inject(accountsToken) private readonly accounts: Accounts) {}

  @Get('tags/pagination')
  async list(@Query() query: PageQuery, @Paged() paged: PagedRequest) {
    const { tenantId } = paged;
    const found = await tagsPage(this.accounts.runtime.database, tenantId, query);
    return this.answer(found, found.matching, { query, paged });
  }

  @Get('tags/search/:searchKey')
  async search(@Param('searchKey') key: string, @Query() query: PageQuery, @Paged() paged: PagedRequest) {
    const { tenantId } = paged;
    const { database } = this.accounts.runtime;
    const found = await searchTags(database, tenantId, key, query);
    const { matching: all } = await tagsPage(database, tenantId, { offset: 0, limit: 0 });
    return this.answer(found, all, { query, paged });
  }

  @Get('accounts/:accountId/allTags')
  async ofAccount(
    @Param('accountId') id: string,
    @Query() query: AllTagsQuery,
    @RequestCtx() { tenantId }: RequestContext,
  ) {
    const { accounts } = this;
    const { accountId } = await existingAccount(accounts, tenantId, id);
    const objectType = query.objectType ?? null;
    const { database } = accounts.runtime;
    const tags = await tagsOfAccount(database, tenantId, { accountId, objectType }, isTrue(query.includedDeleted));
    return withAuditLogs(accounts, { tenantId, query }, tags.map(tagJson));
  }

  private answer({ rows, matching }: Slice<TagView>, max: number | null, { query, paged }: Asked) {
    const { offset, limit } = query;
    paged.paginate({ offset, limit, total: matching, max });
    const { tenantId } = paged;
    return withAuditLogs(this.accounts, { tenantId, query }, rows.map(tagJson));
  }
}
