import { type RequestContext, RequestCtx, unwrap } from '@billstream/http';
import { type InvoiceTextKey, tenantInvoicingStream } from '@billstream/invoicing-domain';
import { invoiceText } from '@billstream/invoicing-read-models';
import { Body, Controller, Get, Header, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { IsIn, IsOptional } from 'class-validator';
import { checkTemplate } from '../html/mustache';
import { type Invoicing, contextOf, invoicingToken } from '../invoicing';
import { type Answer, AnswerTo } from './answer';
import { lookTwice } from './find-account';
import { defaultLocale, localeFrom, manualPayTemplate, readable } from './invoice-language';
import { invalidValue, textExists, unknownText } from './problems';

class UploadQuery {
  @IsOptional() @IsIn(['true', 'false']) readonly deleteIfExists?: string;
}

const textLengthMax = 1_000_000;

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

/** Templates and translations of a tenant's invoices. */
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
    const found = await lookTwice(this.invoicing, () => manualPayTemplate(this.invoicing, tenantId, locale));
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
