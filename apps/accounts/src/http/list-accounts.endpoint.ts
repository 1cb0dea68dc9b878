import {
  type AccountPage,
  type SearchCondition,
  accountsPage,
  containing,
  exactly,
  isStructured,
  searchAccounts,
  structured,
} from '@billstream/accounts-read-models';
import { type RequestContext, RequestCtx, locationOf, paginate, requestContextOf } from '@billstream/http';
import { Controller, Get, Inject, Param, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Accounts, accountsToken } from '../accounts';
import { AccountPageQuery, answerAccounts } from './account-json';
import { invalidValue } from './problems';

type Parts = { readonly query: AccountPageQuery; readonly request: FastifyRequest; readonly reply: FastifyReply };

@Controller('1.0/kb/accounts')
export class ListAccountsEndpoint {
  constructor(@Inject(accountsToken) private readonly accounts: Accounts) {}

  @Get('pagination')
  async list(
    @Query() query: AccountPageQuery,
    @RequestCtx() { tenantId }: RequestContext,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const page = await accountsPage(this.accounts.runtime.database, tenantId, query);
    return this.answer(page, { query, request, reply });
  }

  @Get('search/:searchKey')
  async search(
    @Param('searchKey') key: string,
    @Query() query: AccountPageQuery,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const { tenantId } = requestContextOf(request);
    const page = await searchAccounts(this.accounts.runtime.database, tenantId, conditionOf(key, query), query);
    return this.answer(page, { query, request, reply });
  }

  private answer({ accounts, matching, total }: AccountPage, { query, request, reply }: Parts) {
    paginate(reply, {
      offset: Math.max(query.offset, 0),
      limit: query.limit,
      total: matching,
      max: total,
      uri: locationOf(request, request.url),
    });
    return answerAccounts(this.accounts, accounts, { tenantId: requestContextOf(request).tenantId, query });
  }
}

/** Kill Bill (AccountDao): exact for one row from -1, structured after `_q=1&`, else anywhere in the text. */
const conditionOf = (key: string, { offset, limit }: AccountPageQuery): SearchCondition => {
  if (isStructured(key)) {
    const condition = structured(key);
    if (condition === null) throw invalidValue(`searchKey: not a search that is understood: ${key}`);
    return condition;
  }
  return offset === -1 && limit === 1 ? exactly(key) : containing(key);
};
