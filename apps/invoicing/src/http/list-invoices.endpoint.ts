import { AuditQuery, type RequestContext, RequestCtx, locationOf, paginate, requestContextOf } from '@billstream/http';
import {
  type InvoiceFilter,
  type InvoiceView,
  accountInvoicesPage,
  invoicesOf,
  invoicesPage,
  searchInvoices,
} from '@billstream/invoicing-read-models';
import { parseUuid } from '@billstream/kernel';
import { Controller, Get, Inject, Param, Query, Req, Res } from '@nestjs/common';
import { Type } from 'class-transformer';
import { IsInt, Max, Min, IsOptional, IsString } from 'class-validator';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Invoicing, invoicingToken } from '../invoicing';
import { dateFrom } from './dates';
import { existingAccount } from './find-account';
import { invoiceJson } from './invoice-json';
import { contradiction, invalidValue } from './problems';

/** What PostgreSQL takes for a number of rows, and more than anybody reads. */
const rowsMax = 1_000_000_000;

class InvoicePageQuery extends AuditQuery {
  @IsOptional() @Type(() => Number) @IsInt() @Min(-rowsMax) @Max(rowsMax) readonly offset: number = 0;
  @IsOptional() @Type(() => Number) @IsInt() @Min(-rowsMax) @Max(rowsMax) readonly limit: number = 100;
}

class AccountInvoicesQuery extends AuditQuery {
  @IsOptional() @IsString() readonly startDate?: string;
  @IsOptional() @IsString() readonly endDate?: string;
  @IsOptional() @IsString() readonly withMigrationInvoices?: string;
  @IsOptional() @IsString() readonly unpaidInvoicesOnly?: string;
  @IsOptional() @IsString() readonly includeVoidedInvoices?: string;
  /** Anything but `true`: `items` is empty, unless only unpaid invoices are asked for (Kill Bill 0.24). */
  @IsOptional() @IsString() readonly includeInvoiceComponents?: string;
  @IsOptional() @IsString() readonly invoicesFilter?: string;
}

@Controller('1.0/kb')
export class ListInvoicesEndpoint {
  constructor(@Inject(invoicingToken) private readonly invoicing: Invoicing) {}

  @Get('invoices/pagination')
  async list(
    @Query() { offset, limit }: InvoicePageQuery,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const { tenantId } = requestContextOf(request);
    const { invoices, total } = await invoicesPage(this.invoicing.runtime.database, tenantId, { offset, limit });
    paginate(reply, { offset: Math.max(offset, 0), limit, total, uri: locationOf(request, request.url) });
    return invoices.map(withoutItems);
  }

  /** By id of invoice or account, number, currency, or `_q=1&balance[gt]=0` (Kill Bill 1.5). */
  @Get('invoices/search/:searchKey')
  async searchInvoices(
    @Param('searchKey') key: string,
    @Query() { offset, limit }: InvoicePageQuery,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const { tenantId } = requestContextOf(request);
    const found = await searchInvoices(this.invoicing.runtime.database, tenantId, key, { offset, limit });
    if ('fault' in found) throw invalidValue(`searchKey: ${found.fault}`);
    const { invoices, total, all } = found;
    const uri = locationOf(request, request.url);
    paginate(reply, { offset: Math.max(offset, 0), limit, total, max: all, uri });
    return invoices.map(withoutItems);
  }

  @Get('accounts/:accountId/invoices/pagination')
  async listOfAccount(
    @Param('accountId') id: string,
    @Query() { offset, limit }: InvoicePageQuery,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const { tenantId } = requestContextOf(request);
    const { accountId } = await existingAccount(this.invoicing, tenantId, id);
    const wanted = { accountId, offset, limit };
    const { invoices, total } = await accountInvoicesPage(this.invoicing.runtime.database, tenantId, wanted);
    paginate(reply, { offset: Math.max(offset, 0), limit, total, uri: locationOf(request, request.url) });
    return invoices.map(withoutItems);
  }

  @Get('accounts/:accountId/invoices')
  async ofAccount(
    @Param('accountId') id: string,
    @Query() query: AccountInvoicesQuery,
    @RequestCtx() { tenantId }: RequestContext,
  ) {
    const filter = filterOf(query);
    const { accountId } = await existingAccount(this.invoicing, tenantId, id);
    const invoices = await invoicesOf(this.invoicing.runtime.database, tenantId, accountId, filter);
    return filter.unpaidOnly || isTrue(query.includeInvoiceComponents)
      ? invoices.map(invoiceJson)
      : invoices.map(withoutItems);
  }
}

/** Lists have none, as with Kill Bill; unlike there, what an invoice amounts to and asks for stands in it all the same. */
const withoutItems = (invoice: InvoiceView) => ({ ...invoiceJson(invoice), items: [] });

const isTrue = (text: string | undefined): boolean => text?.toLowerCase() === 'true';

const filterOf = (query: AccountInvoicesQuery): InvoiceFilter => {
  const unpaidOnly = isTrue(query.unpaidInvoicesOnly);
  if (unpaidOnly && isTrue(query.withMigrationInvoices))
    throw contradiction('unpaidInvoicesOnly and withMigrationInvoices cannot be asked for together');
  if (unpaidOnly && isTrue(query.includeVoidedInvoices))
    throw contradiction('unpaidInvoicesOnly and includeVoidedInvoices cannot be asked for together');
  if (query.startDate !== undefined && isTrue(query.withMigrationInvoices))
    throw contradiction('startDate and withMigrationInvoices cannot be asked for together');
  if (unpaidOnly && isTrue(query.includeInvoiceComponents))
    throw contradiction('unpaidInvoicesOnly and includeInvoiceComponents cannot be asked for together');
  return {
    startDate: dateFrom('startDate', query.startDate),
    endDate: dateFrom('endDate', query.endDate),
    unpaidOnly,
    includeVoided: isTrue(query.includeVoidedInvoices),
    includeMigrated: isTrue(query.withMigrationInvoices),
    invoiceIds:
      query.invoicesFilter === undefined || query.invoicesFilter === '' ? null : idsFrom(query.invoicesFilter),
  };
};

const idsFrom = (text: string): readonly string[] =>
  text.split(',').map((one) => {
    const id = parseUuid(one.trim());
    if (id === null) throw invalidValue(`invoicesFilter: not an invoice id: ${one}`);
    return id;
  });
