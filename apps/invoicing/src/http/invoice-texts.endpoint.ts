import { type RequestContext, RequestCtx, unwrap } from '@billstream/http';
import { type InvoiceTextKey, isTagged, tenantInvoicingStream } from '@billstream/invoicing-domain';
import { invoiceText } from '@billstream/invoicing-read-models';
import { Body, Controller, Get, Header, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { IsIn, IsOptional, IsString } from 'class-validator';
import { invoicePage } from '../html/invoice-page';
import { TemplateFault, checkTemplate } from '../html/mustache';
import { type Invoicing, contextOf, invoicingToken } from '../invoicing';
import { type Answer, AnswerTo } from './answer';
import { lookTwice } from './find-account';
import { descriptionOf } from './invoice-json';
import { existingInvoice } from './issue';
import { invalidValue, textExists, unknownText } from './problems';

class UploadQuery {
  @IsOptional() @IsIn(['true', 'false']) readonly deleteIfExists?: string;
}

class PageQuery {
  @IsOptional() @IsString() readonly locale?: string;
}

const defaultLocale = 'en_US';
const textLengthMax = 1_000_000;

/** What locales look like: a language, and a country where it matters. */
const localeFrom = (text: string): string => {
  if (!/^[a-z]{2,3}([_-][A-Za-z0-9]{2,8})*$/.test(text)) throw invalidValue(`locale: not a locale: ${text}`);
  return text.replaceAll('-', '_');
};

const textFrom = (body: unknown): string => {
  const text = typeof body === 'string' ? body : body === undefined || body === null ? '' : JSON.stringify(body);
  if (text.trim() === '') throw invalidValue('the body must not be empty');
  if (text.length > textLengthMax) throw invalidValue(`the body has more than ${String(textLengthMax)} characters`);
  return text;
};

const templateFrom = (body: unknown): string => {
  const text = textFrom(body);
  readable(() => {
    checkTemplate(text);
  });
  return text;
};

/** What a template makes, or why it makes nothing. */
const readable = <Made>(make: () => Made): Made => {
  try {
    return make();
  } catch (error) {
    if (error instanceof TemplateFault) throw invalidValue(`the template cannot be read: ${error.message}`);
    throw error;
  }
};

/** Templates and translations of a tenant's invoices, and the page that they make of one. */
@Controller('1.0/kb/invoices')
export class InvoiceTextsEndpoint {
  constructor(@Inject(invoicingToken) private readonly invoicing: Invoicing) {}

  @Post('template')
  @HttpCode(201)
  uploadInvoiceTemplate(@Body() body: unknown, @Query() query: UploadQuery, @AnswerTo() answer: Answer): Promise<void> {
    return this.upload({ kind: 'TEMPLATE', locale: null }, templateFrom(body), query, answer);
  }

  @Get('template')
  @Header('Content-Type', 'text/plain')
  getInvoiceTemplate(@RequestCtx() context: RequestContext): Promise<string> {
    return this.text({ kind: 'TEMPLATE', locale: null }, context);
  }

  /** Without a locale in its path it is that of the default one. */
  @Post('manualPayTemplate')
  @HttpCode(201)
  uploadInvoiceMPTemplate(
    @Body() body: unknown,
    @Query() query: UploadQuery,
    @AnswerTo() answer: Answer,
  ): Promise<void> {
    return this.upload({ kind: 'MANUAL_PAY_TEMPLATE', locale: defaultLocale }, templateFrom(body), query, answer);
  }

  /** It is uploaded without a locale, so the one of the default locale serves all that have none of their own. */
  @Get('manualPayTemplate/:locale')
  @Header('Content-Type', 'text/plain')
  async getInvoiceMPTemplate(
    @Param('locale') text: string,
    @RequestCtx() { tenantId }: RequestContext,
  ): Promise<string> {
    const locale = localeFrom(text);
    const found = await lookTwice(this.invoicing, () => this.manualPayTemplate(tenantId, locale));
    if (found === null) throw unknownText('MANUAL_PAY_TEMPLATE', locale);
    return found;
  }

  @Post('translation/:locale')
  @HttpCode(201)
  uploadInvoiceTranslation(
    @Param('locale') locale: string,
    @Body() body: unknown,
    @Query() query: UploadQuery,
    @AnswerTo() answer: Answer,
  ): Promise<void> {
    return this.upload({ kind: 'TRANSLATION', locale: localeFrom(locale) }, textFrom(body), query, answer);
  }

  @Get('translation/:locale')
  @Header('Content-Type', 'text/plain')
  getInvoiceTranslation(@Param('locale') locale: string, @RequestCtx() context: RequestContext): Promise<string> {
    return this.text({ kind: 'TRANSLATION', locale: localeFrom(locale) }, context);
  }

  @Post('catalogTranslation/:locale')
  @HttpCode(201)
  uploadCatalogTranslation(
    @Param('locale') locale: string,
    @Body() body: unknown,
    @Query() query: UploadQuery,
    @AnswerTo() answer: Answer,
  ): Promise<void> {
    return this.upload({ kind: 'CATALOG_TRANSLATION', locale: localeFrom(locale) }, textFrom(body), query, answer);
  }

  @Get('catalogTranslation/:locale')
  @Header('Content-Type', 'text/plain')
  getCatalogTranslation(@Param('locale') locale: string, @RequestCtx() context: RequestContext): Promise<string> {
    return this.text({ kind: 'CATALOG_TRANSLATION', locale: localeFrom(locale) }, context);
  }

  /** The invoice as a page, which runs nothing, whatever a template holds; an account that pays by hand gets the template for that, where there is one. */
  @Get(':invoiceId/html')
  @Header('Content-Type', 'text/html; charset=utf-8')
  @Header('Content-Security-Policy', 'sandbox')
  async getInvoiceAsHTML(
    @Param('invoiceId') id: string,
    @Query() query: PageQuery,
    @RequestCtx() { tenantId }: RequestContext,
  ): Promise<string> {
    const invoice = await existingInvoice(this.invoicing, tenantId, id);
    const locale = query.locale === undefined ? defaultLocale : localeFrom(query.locale);
    const { database } = this.invoicing.runtime;
    const look = (kind: InvoiceTextKey['kind'], of: string | null): Promise<string | null> =>
      invoiceText(database, tenantId, { kind, locale: of });
    const paysByHand = isTagged(await this.invoicing.stateOf(invoice.accountId), invoice.accountId, 'MANUAL_PAY');
    const manual = paysByHand ? await this.manualPayTemplate(tenantId, locale) : null;
    const texts = {
      template: manual ?? (await look('TEMPLATE', null)),
      translation: await look('TRANSLATION', locale),
      catalogTranslation: await look('CATALOG_TRANSLATION', locale),
    };
    return readable(() => invoicePage(invoice, texts, descriptionOf));
  }

  private async manualPayTemplate(tenantId: string, locale: string): Promise<string | null> {
    const { database } = this.invoicing.runtime;
    const kind = 'MANUAL_PAY_TEMPLATE';
    const own = await invoiceText(database, tenantId, { kind, locale });
    return own ?? invoiceText(database, tenantId, { kind, locale: defaultLocale });
  }

  private async text(key: InvoiceTextKey, { tenantId }: RequestContext): Promise<string> {
    const { database } = this.invoicing.runtime;
    const found = await lookTwice(this.invoicing, () => invoiceText(database, tenantId, key));
    if (found === null) throw unknownText(key.kind, key.locale);
    return found;
  }

  private async upload(
    key: InvoiceTextKey,
    text: string,
    { deleteIfExists }: UploadQuery,
    { context, locatedAt }: Answer,
  ): Promise<void> {
    const { tenantId } = context;
    const command = {
      type: 'UploadInvoiceText' as const,
      ...key,
      tenantId,
      text,
      mayReplace: deleteIfExists === 'true',
    };
    const handled = await this.invoicing.tenantInvoicing(
      tenantInvoicingStream(tenantId),
      command,
      contextOf(context, this.invoicing),
    );
    const { position } = unwrap(handled, () => textExists(key.kind, key.locale));
    await this.invoicing.runtime.visible(position);
    locatedAt(`/1.0/kb/invoices/${pathOf(key)}`);
  }
}

const paths: Readonly<Record<InvoiceTextKey['kind'], string>> = {
  TEMPLATE: 'template',
  MANUAL_PAY_TEMPLATE: 'manualPayTemplate',
  TRANSLATION: 'translation',
  CATALOG_TRANSLATION: 'catalogTranslation',
};

const pathOf = ({ kind, locale }: InvoiceTextKey): string =>
  [paths[kind], ...(locale === null ? [] : [locale])].join('/');
