import {
  ProblemException,
  type RequestContext,
  RequestCtx,
  locationOf,
  requestContextOf,
  unwrap,
} from '@billstream/http';
import { parseInstant } from '@billstream/kernel';
import {
  type Catalog,
  type CatalogError,
  type CatalogVersion,
  additionErrors,
  catalogStream,
  versionAt,
} from '@billstream/subscriptions-domain';
import { Body, Controller, Get, HttpCode, Inject, Post, Query, Req, Res } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiOkResponse, ApiProduces } from '@nestjs/swagger';
import { IsOptional, IsString } from 'class-validator';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { readCatalog } from '../catalog-xml/read-catalog';
import { writeCatalog } from '../catalog-xml/write-catalog';
import { xmlPathOf } from '../catalog-xml/xml-path';
import { catalogShape, readCatalogDocument, writeCatalogDocument } from '../documents/catalog-document';
import { type Subscriptions, stepOf, subscriptionsToken } from '../subscriptions';
import { invalidDocument } from './document-problem';

class VersionQuery {
  @IsOptional() @IsString() readonly at?: string;
}

type Read = {
  readonly version: CatalogVersion;
  /** Where a part of the version is in the document it came in. */
  readonly pathOf: (pointer: string) => string;
};

const readAny = (body: unknown): Read | { readonly errors: readonly CatalogError[] } => {
  if (typeof body === 'string') {
    const read = readCatalog(body);
    if ('errors' in read) return read;
    return { version: read.version, pathOf: (pointer) => xmlPathOf(read.version, pointer) };
  }
  const read = readCatalogDocument(body ?? {});
  return 'errors' in read ? read : { version: read.value, pathOf: (pointer) => pointer };
};

const moved = (errors: readonly CatalogError[], { pathOf }: Read): readonly CatalogError[] =>
  errors.map(({ pointer, message }) => ({ pointer: pathOf(pointer), message }));

const chosen = (catalog: Catalog, at: string | undefined): Catalog => {
  if (at === undefined || at === '') return catalog;
  const instant = parseInstant(at.includes('T') ? at : `${at}T00:00:00Z`);
  if (instant === null)
    throw new ProblemException({
      status: 400,
      code: 'invalid-request',
      detail: `query:at: ${at} is not an instant`,
      errors: [{ pointer: 'query:at', code: 'not-an-instant', message: 'must be an instant' }],
    });
  const version = versionAt(catalog, instant);
  return version === null ? [] : [version];
};

const bodyTypes = ['application/json', 'application/xml', 'text/xml'] as const;
const schema = catalogShape.schema;

/** The catalog as JSON documents of this platform, or as Kill Bill's XML where the body is one. See docs/catalog.md. */
@Controller('v1/catalog')
export class CatalogDocumentsEndpoint {
  constructor(@Inject(subscriptionsToken) private readonly subscriptions: Subscriptions) {}

  @Get()
  @ApiOkResponse({ schema: { type: 'object', properties: { versions: { type: 'array', items: schema } } } })
  async getCatalogDocuments(@Query() { at }: VersionQuery, @RequestCtx() { tenantId }: RequestContext) {
    const versions = chosen(await this.subscriptions.documentsOf(tenantId), at);
    return { versions: versions.map(writeCatalogDocument) };
  }

  @Post()
  @HttpCode(201)
  @ApiConsumes(...bodyTypes)
  @ApiBody({ schema })
  async uploadCatalogDocument(
    @Body() body: unknown,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<{ readonly catalogName: string; readonly effectiveDate: string }> {
    const read = readAny(body);
    if ('errors' in read) throw invalidDocument('invalid-catalog', read.errors);
    const { subscriptions } = this;
    const context = requestContextOf(request);
    const command = { type: 'UploadVersion' as const, data: { version: read.version } };
    const step = stepOf(context, subscriptions, 'catalog');
    const done = unwrap(await subscriptions.catalog(catalogStream(context.tenantId), command, step), (rejection) =>
      invalidDocument('invalid-catalog', 'errors' in rejection ? moved(rejection.errors, read) : []),
    );
    await subscriptions.runtime.visible(done.position);
    const { catalogName, effectiveDate } = read.version;
    void reply.header('Location', locationOf(request, `/v1/catalog?at=${effectiveDate}`));
    return { catalogName, effectiveDate };
  }

  /** Says everything that is wrong with a document beside the versions there are, and changes nothing. */
  @Post('validate')
  @HttpCode(200)
  @ApiConsumes(...bodyTypes)
  @ApiBody({ schema })
  async validateCatalogDocument(@Body() body: unknown, @RequestCtx() { tenantId }: RequestContext) {
    const read = readAny(body);
    if ('errors' in read) return { errors: read.errors };
    return { errors: moved(additionErrors(await this.subscriptions.uploadedOf(tenantId), read.version), read) };
  }

  /** JSON becomes XML, and XML becomes JSON; nothing is kept. */
  @Post('convert')
  @HttpCode(200)
  @ApiConsumes(...bodyTypes)
  @ApiProduces(...bodyTypes)
  @ApiBody({ schema })
  convertCatalogDocument(@Body() body: unknown, @Res({ passthrough: true }) reply: FastifyReply): unknown {
    const read = readAny(body);
    if ('errors' in read) throw invalidDocument('invalid-catalog', read.errors);
    if (typeof body === 'string') return writeCatalogDocument(read.version);
    void reply.header('content-type', 'text/xml; charset=utf-8');
    return writeCatalog(read.version);
  }
}
