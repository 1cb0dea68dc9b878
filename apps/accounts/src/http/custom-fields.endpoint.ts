import {
  type CustomFieldView,
  type Slice,
  customFieldsOfAccount,
  customFieldsPage,
  findCustomFields,
  searchCustomFields,
} from '@billstream/accounts-read-models';
import { Paged, type PagedRequest, type RequestContext, RequestCtx } from '@billstream/http';
import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import { IsOptional, IsString } from 'class-validator';
import { type Accounts, accountsToken } from '../accounts';
import { AuditQuery, withAuditLogs } from './audit-logs';
import { customFieldJson } from './custom-field-json';
import { existingAccount } from './find-account';
import { invalidValue } from './problems';
import { PageQuery } from './query-values';

class AllFieldsQuery extends AuditQuery {
  @IsOptional() @IsString() readonly objectType?: string;
}

class FieldQuery extends PageQuery {
  @IsOptional() @IsString() readonly objectType?: string;
  @IsOptional() @IsString() readonly fieldName?: string;
  @IsOptional() @IsString() readonly fieldValue?: string;
}

type Asked = { readonly query: PageQuery; readonly paged: PagedRequest };

/** Custom fields across objects. */
@Controller('1.0/kb')
export class CustomFieldsEndpoint {
  constructor(@Inject(accountsToken) private readonly accounts: Accounts) {}

  @Get('customFields/pagination')
  async list(@Query() query: PageQuery, @Paged() paged: PagedRequest) {
    const { tenantId } = paged;
    return this.answer(await customFieldsPage(this.accounts.runtime.database, tenantId, query), { query, paged });
  }

  @Get('customFields/search')
  async find(@Query() query: FieldQuery, @Paged() paged: PagedRequest) {
    const { objectType, fieldName, fieldValue } = query;
    if (objectType === undefined) throw invalidValue('objectType: the query must name a kind of object');
    if (fieldName === undefined) throw invalidValue('fieldName: the query must name a field');
    const { tenantId } = paged;
    const field = { objectType, name: fieldName, value: fieldValue ?? null };
    const found = await findCustomFields(this.accounts.runtime.database, tenantId, field, query);
    return this.answer(found, { query, paged });
  }

  @Get('customFields/search/:searchKey')
  async search(@Param('searchKey') key: string, @Query() query: PageQuery, @Paged() paged: PagedRequest) {
    const { tenantId } = paged;
    const found = await searchCustomFields(this.accounts.runtime.database, tenantId, key, query);
    return this.answer(found, { query, paged });
  }

  @Get('accounts/:accountId/allCustomFields')
  async ofAccount(
    @Param('accountId') id: string,
    @Query() query: AllFieldsQuery,
    @RequestCtx() { tenantId }: RequestContext,
  ) {
    const { accounts } = this;
    const { accountId } = await existingAccount(accounts, tenantId, id);
    const { database } = accounts.runtime;
    const fields = await customFieldsOfAccount(database, tenantId, { accountId, objectType: query.objectType ?? null });
    return withAuditLogs(accounts, { tenantId, query }, fields.map(customFieldJson));
  }

  private async answer({ rows, matching }: Slice<CustomFieldView>, { query, paged }: Asked) {
    const { tenantId } = paged;
    const { offset, limit } = query;
    const { matching: max } = await customFieldsPage(this.accounts.runtime.database, tenantId, { offset: 0, limit: 0 });
    paged.paginate({ offset, limit, total: matching, max });
    return withAuditLogs(this.accounts, { tenantId, query }, rows.map(customFieldJson));
  }
}
