import { type RequestContext, listOf, requestContextOf } from '@billstream/http';
import type { AskedItem } from '@billstream/invoicing-domain';
import { type InvoicedAccount, invoiceByItem } from '@billstream/invoicing-read-models';
import { parseUuid } from '@billstream/kernel';
import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query, Req } from '@nestjs/common';
import { IsIn, IsOptional, IsString } from 'class-validator';
import type { FastifyRequest } from 'fastify';
import { type Invoicing, invoicingToken } from '../invoicing';
import { type Answer, AnswerTo } from './answer';
import { dateFrom } from './dates';
import { existingAccount, lookTwice } from './find-account';
import { itemJson } from './invoice-json';
import { type PlacedItem, issue, itemsMadeBy } from './issue';
import { InvoiceItemRequest, askedItem } from './item-request';
import { invalidValue, unknownCredit } from './problems';

const flag = ['true', 'false'];

class AddItemsQuery {
  @IsOptional() @IsString() readonly requestedDate?: string;
  @IsOptional() @IsIn(flag) readonly autoCommit?: string;
}

class MigrationQuery {
  @IsOptional() @IsString() readonly targetDate?: string;
}

const migratable: readonly AskedItem['type'][] = ['RECURRING', 'FIXED', 'USAGE', 'EXTERNAL_CHARGE', 'TAX'];

/** Lines that somebody puts on an invoice; without `autoCommit` a new invoice stays a draft (Kill Bill 1.14). */
@Controller('1.0/kb')
export class AddItemsEndpoint {
  constructor(@Inject(invoicingToken) private readonly invoicing: Invoicing) {}

  /** 200 and the charges that were made. */
  @Post('invoices/charges/:accountId')
  @HttpCode(200)
  async createExternalCharges(
    @Param('accountId') id: string,
    @Body(listOf(InvoiceItemRequest)) body: InvoiceItemRequest[],
    @Query() query: AddItemsQuery,
    @Req() request: FastifyRequest,
  ) {
    return this.add(id, body, { type: 'EXTERNAL_CHARGE', query, request });
  }

  /** 200 and the tax items that were made. */
  @Post('invoices/taxes/:accountId')
  @HttpCode(200)
  async createTaxItems(
    @Param('accountId') id: string,
    @Body(listOf(InvoiceItemRequest)) body: InvoiceItemRequest[],
    @Query() query: AddItemsQuery,
    @Req() request: FastifyRequest,
  ) {
    return this.add(id, body, { type: 'TAX', query, request });
  }

  /** 200 and the credits that were given, with positive amounts. The items name their account, one for all. */
  @Post('credits')
  @HttpCode(200)
  async createCredits(
    @Body(listOf(InvoiceItemRequest)) body: InvoiceItemRequest[],
    @Query() query: AddItemsQuery,
    @Req() request: FastifyRequest,
  ) {
    const accountId = body[0]?.accountId;
    if (accountId === undefined || accountId === null || accountId === '')
      throw invalidValue('[0].accountId: an account is needed');
    const made = await this.add(accountId, body, { type: 'CREDIT_ADJ', query, request });
    return made.map((item) => ({ ...item, amount: item.amount === 0 ? 0 : -item.amount }));
  }

  /** A credit by its id, with a positive amount. */
  @Get('credits/:creditId')
  async getCredit(@Param('creditId') text: string, @Req() request: FastifyRequest) {
    const { tenantId } = requestContextOf(request);
    const creditId = parseUuid(text);
    const { database } = this.invoicing.runtime;
    const invoice =
      creditId === null ? null : await lookTwice(this.invoicing, () => invoiceByItem(database, tenantId, creditId));
    const item = invoice?.items.find((one) => one.itemId === creditId && one.type === 'CREDIT_ADJ');
    if (!invoice || !item) throw unknownCredit(text);
    const json = itemJson(item, invoice);
    return { ...json, amount: json.amount === 0 ? 0 : -json.amount };
  }

  /** 201 and where the invoice is. It came from another system: it is owed to nobody here. */
  @Post('invoices/migration/:accountId')
  @HttpCode(201)
  async createMigrationInvoice(
    @Param('accountId') id: string,
    @Body(listOf(InvoiceItemRequest)) body: InvoiceItemRequest[],
    @Query() { targetDate }: MigrationQuery,
    @AnswerTo() { context, locatedAt }: Answer,
  ): Promise<void> {
    const account = await existingAccount(this.invoicing, context.tenantId, id);
    const items = body.map((one, index) =>
      askedItem(one, index, { account, type: migrationType(one.itemType, index), amountCode: 4015 }),
    );
    const [first] = await this.command(account, context, {
      items: items.map((item) => ({ ...item, invoiceId: null })),
      requestedDate: targetDate,
      autoCommit: true,
      isMigration: true,
    });
    if (first === undefined) throw invalidValue('the body must name at least one item');
    locatedAt(`/1.0/kb/invoices/${first.invoiceId}`);
  }

  private async add(
    id: string,
    body: readonly InvoiceItemRequest[],
    {
      type,
      query,
      request,
    }: { readonly type: AskedItem['type']; readonly query: AddItemsQuery; readonly request: FastifyRequest },
  ) {
    const context = requestContextOf(request);
    const account = await existingAccount(this.invoicing, context.tenantId, id);
    const amountCode = type === 'CREDIT_ADJ' ? 4009 : 4015;
    const items = body.map((one, index) => askedItem(one, index, { account, type, amountCode }));
    const made = await this.command(account, context, {
      items,
      requestedDate: query.requestedDate,
      autoCommit: query.autoCommit === 'true',
    });
    const { currency } = account;
    return made.flatMap(({ item, invoiceId }) =>
      item.type !== type || currency === null
        ? []
        : [itemJson(item, { invoiceId, accountId: account.accountId, currency })],
    );
  }

  private async command(
    { accountId }: InvoicedAccount,
    context: RequestContext,
    asked: {
      readonly items: readonly AskedItem[];
      readonly requestedDate: string | undefined;
      readonly autoCommit: boolean;
      readonly isMigration?: boolean;
    },
  ): Promise<readonly PlacedItem[]> {
    const { requestedDate, ...rest } = asked;
    const events = await issue(this.invoicing, context, accountId, {
      type: 'AddItems',
      ...rest,
      effectiveDate: dateFrom('requestedDate', requestedDate),
      now: this.invoicing.runtime.clock.now(context.tenantId),
    });
    return itemsMadeBy(events);
  }
}

const migrationType = (text: string | null | undefined, index: number): AskedItem['type'] => {
  const type = migratable.find((one) => one === (text ?? 'EXTERNAL_CHARGE'));
  if (type === undefined) throw invalidValue(`[${String(index)}].itemType: must be one of ${migratable.join(', ')}`);
  return type;
};
