import { type RequestContext, RequestCtx } from '@billstream/http';
import { parseUuid } from '@billstream/kernel';
import { Body, Controller, Delete, HttpCode, Inject, Param, Post, Put, Query } from '@nestjs/common';
import { IsOptional, IsString } from 'class-validator';
import { type Invoicing, invoicingToken } from '../invoicing';
import { type Answer, AnswerTo } from './answer';
import { dateFrom } from './dates';
import { existingAccount } from './find-account';
import { existingInvoice, issue } from './issue';
import { InvoiceItemRequest, currencyOf, minorFrom } from './item-request';
import { adjustmentNotPositive, invalidValue, unknownInvoice, unknownItem, wrongStatus } from './problems';

class AdjustQuery {
  @IsOptional() @IsString() readonly requestedDate?: string;
}

class CreditQuery {
  @IsOptional() @IsString() readonly accountId?: string;
}

/** What can be done to an invoice that is there. */
@Controller('1.0/kb')
export class ChangeInvoiceEndpoint {
  constructor(@Inject(invoicingToken) private readonly invoicing: Invoicing) {}

  /** A draft becomes an invoice that is owed; 400 (4023) for one that is no draft. */
  @Put('invoices/:invoiceId/commitInvoice')
  @HttpCode(204)
  async commitInvoice(@Param('invoiceId') id: string, @RequestCtx() context: RequestContext): Promise<void> {
    const { invoiceId, accountId, status } = await existingInvoice(this.invoicing, context.tenantId, id);
    if (status !== 'DRAFT') throw wrongStatus(invoiceId, status, 'COMMITTED');
    await issue(this.invoicing, context, accountId, { type: 'CommitDraft', invoiceId, now: this.now(context) });
  }

  /** Refused where it was paid, repaired, or its credit used. */
  @Put('invoices/:invoiceId/voidInvoice')
  @HttpCode(204)
  async voidInvoice(@Param('invoiceId') id: string, @RequestCtx() context: RequestContext): Promise<void> {
    const { invoiceId, accountId, status } = await existingInvoice(this.invoicing, context.tenantId, id);
    if (status === 'VOID') throw wrongStatus(invoiceId, status, 'VOID');
    await issue(this.invoicing, context, accountId, { type: 'VoidInvoice', invoiceId, now: this.now(context) });
  }

  /** 201 and where the invoice is; without an amount, all that is left of the item is taken back. */
  @Post('invoices/:invoiceId')
  @HttpCode(201)
  async adjustInvoiceItem(
    @Param('invoiceId') id: string,
    @Body() body: InvoiceItemRequest,
    @Query() { requestedDate }: AdjustQuery,
    @AnswerTo() { context, locatedAt }: Answer,
  ): Promise<void> {
    const itemId = parseUuid(body.invoiceItemId ?? '');
    if (itemId === null) throw invalidValue('invoiceItemId: an item of the invoice is needed');
    const effectiveDate = dateFrom('requestedDate', requestedDate);
    const { invoiceId, accountId } = await existingInvoice(this.invoicing, context.tenantId, id);
    const account = await existingAccount(this.invoicing, context.tenantId, accountId);
    if (isOther(body.accountId, accountId)) throw unknownInvoice(id);
    const currency = currencyOf(account, body.currency);
    const { amount } = body;
    if (amount !== undefined && amount !== null && amount <= 0) throw adjustmentNotPositive();
    await issue(this.invoicing, context, accountId, {
      type: 'AdjustItem',
      invoiceId,
      itemId,
      amountMinor: amount === undefined || amount === null ? null : minorFrom('amount', amount, currency),
      effectiveDate,
      description: body.description ?? null,
      itemDetails: body.itemDetails ?? null,
      now: this.now(context),
    });
    locatedAt(`/1.0/kb/invoices/${invoiceId}`);
  }

  /** Takes back credit that somebody gave; what of it was used is owed again. 400 (4030) for credit the platform made. */
  @Delete('invoices/:invoiceId/:itemId/cba')
  @HttpCode(204)
  async deleteCBA(
    @Param('invoiceId') id: string,
    @Param('itemId') itemText: string,
    @Query() query: CreditQuery,
    @RequestCtx() context: RequestContext,
  ): Promise<void> {
    if (query.accountId === undefined || query.accountId === '') throw invalidValue('accountId: an account is needed');
    await existingAccount(this.invoicing, context.tenantId, query.accountId);
    const { invoiceId, accountId } = await existingInvoice(this.invoicing, context.tenantId, id);
    if (isOther(query.accountId, accountId)) throw unknownInvoice(id);
    const itemId = parseUuid(itemText);
    if (itemId === null) throw unknownItem(itemText);
    await issue(this.invoicing, context, accountId, {
      type: 'DeleteCredit',
      invoiceId,
      itemId,
      now: this.now(context),
    });
  }

  /** Moves an account's credit to whatever it owes. */
  @Put('accounts/:accountId/cbaRebalancing')
  @HttpCode(204)
  async rebalanceExistingCBAOnAccount(
    @Param('accountId') id: string,
    @RequestCtx() context: RequestContext,
  ): Promise<void> {
    const { accountId } = await existingAccount(this.invoicing, context.tenantId, id);
    await issue(this.invoicing, context, accountId, { type: 'RebalanceCredit', now: this.now(context) });
  }

  private now({ tenantId }: RequestContext) {
    return this.invoicing.runtime.clock.now(tenantId);
  }
}

const isOther = (text: string | null | undefined, accountId: string): boolean =>
  text !== undefined && text !== null && text !== '' && parseUuid(text) !== accountId;
