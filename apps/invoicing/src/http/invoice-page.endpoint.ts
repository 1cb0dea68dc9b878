import { type RequestContext, RequestCtx } from '@billstream/http';
import { isTagged } from '@billstream/invoicing-domain';
import { invoiceText } from '@billstream/invoicing-read-models';
import { Body, Controller, Get, Header, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { IsObject, IsOptional, IsString } from 'class-validator';
import { type Owner, invoicePage } from '../html/invoice-page';
import { type Invoicing, invoicingToken } from '../invoicing';
import { descriptionOf } from './invoice-json';
import { defaultLocale, knownLocale, localeFrom, manualPayTemplate, readable } from './invoice-language';
import { existingInvoice } from './issue';

class PageQuery {
  /** Instead of the account's own. */
  @IsOptional() @IsString() readonly locale?: string;
}

/** Whose invoice it is, as accounts tell; the gateway puts it in (ADR 0015). */
class PageRequest {
  @IsObject() readonly account!: Owner & { readonly locale?: string | null };
}

type Wanted = { readonly tenantId: string; readonly invoiceId: string; readonly locale: string };

/** The invoice as a page, which runs nothing, whatever a template holds; an account that pays by hand gets the template for that, where there is one. */
@Controller('1.0/kb')
export class InvoicePageEndpoint {
  constructor(@Inject(invoicingToken) private readonly invoicing: Invoicing) {}

  /** What a reader asks for; the gateway has it answered by `answer`, which knows the account as well. */
  @Get('invoices/:invoiceId/html')
  @Header('Content-Type', 'text/html; charset=utf-8')
  @Header('Content-Security-Policy', 'sandbox')
  getInvoiceAsHTML(
    @Param('invoiceId') invoiceId: string,
    @Query() query: PageQuery,
    @RequestCtx() { tenantId }: RequestContext,
  ): Promise<string> {
    return this.page({ tenantId, invoiceId, locale: localeIn(query) ?? defaultLocale }, null);
  }

  @Post('internal/invoices/:invoiceId/html')
  @HttpCode(200)
  async accountOf(
    @Param('invoiceId') invoiceId: string,
    @RequestCtx() { tenantId }: RequestContext,
  ): Promise<{ readonly accountId: string }> {
    const { accountId } = await existingInvoice(this.invoicing, tenantId, invoiceId);
    return { accountId };
  }

  @Post('internal/invoices/:invoiceId/html/answer')
  @HttpCode(200)
  @Header('Content-Type', 'text/html; charset=utf-8')
  @Header('Content-Security-Policy', 'sandbox')
  answer(
    @Param('invoiceId') invoiceId: string,
    @Query() query: PageQuery,
    @Body() { account }: PageRequest,
    @RequestCtx() { tenantId }: RequestContext,
  ): Promise<string> {
    const locale = localeIn(query) ?? knownLocale(account.locale ?? '') ?? defaultLocale;
    return this.page({ tenantId, invoiceId, locale }, account);
  }

  private async page({ tenantId, invoiceId, locale }: Wanted, owner: Owner | null): Promise<string> {
    const { invoicing } = this;
    const { database } = invoicing.runtime;
    const invoice = await existingInvoice(invoicing, tenantId, invoiceId);
    const paysByHand = isTagged(await invoicing.stateOf(invoice.accountId), invoice.accountId, 'MANUAL_PAY');
    const manual = paysByHand ? await manualPayTemplate(invoicing, tenantId, locale) : null;
    const texts = {
      template: manual ?? (await invoiceText(database, tenantId, { kind: 'TEMPLATE', locale: null })),
      translation: await invoiceText(database, tenantId, { kind: 'TRANSLATION', locale }),
      catalogTranslation: await invoiceText(database, tenantId, { kind: 'CATALOG_TRANSLATION', locale }),
    };
    return readable(() =>
      invoicePage(invoice, owner ?? { accountId: invoice.accountId }, { texts, describe: descriptionOf }),
    );
  }
}

const localeIn = ({ locale }: PageQuery): string | null => (locale === undefined ? null : localeFrom(locale));
