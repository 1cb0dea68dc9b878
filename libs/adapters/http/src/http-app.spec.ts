import { AppendTooLarge } from '@billstream/event-sourcing';
import { silentLogger } from '@billstream/observability';
import { Body, Controller, Get, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Type } from 'class-transformer';
import { IsInt, IsOptional, IsString, Max, ValidateNested } from 'class-validator';
import type { FastifyReply, FastifyRequest, InjectOptions } from 'fastify';
import { locationOf, paginate } from './answers';
import { createHttpApp } from './http-app';
import { openApiOf } from './openapi';
import { ProblemException, killBillProblem } from './problem';
import { RequestCtx, type RequestContext } from './request-context';
import { listOf } from './validation';

class Line {
  @IsInt() @Max(10) readonly quantity!: number;
}
class Order {
  @IsString() readonly planId!: string;
  @IsOptional() @ValidateNested({ each: true }) @Type(() => Line) readonly lines?: Line[];
}
class PageQuery {
  @IsOptional() @Type(() => Number) @IsInt() readonly limit?: number;
}

@Controller()
class Endpoints {
  @Post('v1/orders') take(@Body() body: Order, @RequestCtx() request: RequestContext): object {
    return { body, request };
  }
  @Post('1.0/kb/orders') @HttpCode(201) takeKillBill(@Body() body: Order): object | undefined {
    return body.planId === 'silent' ? undefined : body;
  }
  @Post('1.0/kb/bare') bare(@Body() body: unknown, @RequestCtx() request: RequestContext): object {
    return { body: body ?? null, request };
  }
  @Post('1.0/kb/gone') @HttpCode(204) gone(): void {
    throwIf(false);
  }
  @Post('1.0/kb/list') list(@Body(listOf(Line)) lines: Line[]): object {
    return { count: lines.length, isLine: lines[0] instanceof Line };
  }
  @Post('meter/record/json') usage(@Body() body: object): object {
    return { bytes: JSON.stringify(body).length };
  }
  @Get('1.0/kb/failures/:kind') fail(@Param('kind') kind: string): void {
    throwIf(kind === 'known' && killBillProblem(404, 3002, 'AccountApiException', 'Account does not exist for id x'));
    throwIf(kind === 'large' && new AppendTooLarge('catalog-1'));
    throwIf(new Error('the password is 1234'));
  }
  @Get('v1/failures') failV1(@Query() query: PageQuery): void {
    throwIf(new ProblemException({ status: 409, code: 'plan-unchanged', detail: `limit ${String(query.limit)}` }));
  }
  @Get('1.0/kb/endless') endless(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): string[] {
    paginate(reply, { offset: 2, limit: 2, total: null, uri: locationOf(request, request.url) });
    return [];
  }
  @Get('1.0/kb/pages') pages(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): string[] {
    paginate(reply, { offset: 2, limit: 2, total: 5, uri: locationOf(request, request.url) });
    return [];
  }
}
class Module {}
const throwIf = (error: Error | false): void => {
  if (error) throw error;
};

let app: NestFastifyApplication;
beforeAll(async () => {
  const module = { module: Module, controllers: [Endpoints] };
  app = await createHttpApp(module, { logger: silentLogger(), innerSecret: 's3cret' });
  await app.init();
  await app.getHttpAdapter().getInstance().ready();
});
afterAll(() => app.close());

const trusted = {
  'x-billstream-inner': 's3cret',
  'x-billstream-tenant': 'tenant-1',
  'x-billstream-user': 'admin',
  'x-billstream-correlation': 'c-1',
  'x-killbill-createdby': 'ann',
};
const send = (options: InjectOptions) => app.inject({ ...options, headers: { ...trusted, ...options.headers } });
const post = (url: string, payload: string | object, headers: Record<string, string> = {}) =>
  send({ method: 'POST', url, payload, headers: { 'content-type': 'application/json', ...headers } });

describe('who is believed', () => {
  it('refuses a request without the inner secret', async () => {
    expect((await app.inject({ url: '/v1/failures' })).statusCode).toBe(401);
    const wrong = await send({ url: '/v1/failures', headers: { 'x-billstream-inner': 'guess' } });
    expect(wrong.json()).toMatchObject({ status: 401, code: 'not-the-gateway' });
  });
  it('reads tenant, user, actor and correlation from the headers', async () => {
    const answer = await post('/v1/orders', { planId: 'gold' }, { 'x-killbill-reason': 'why' });
    expect(answer.json()).toMatchObject({
      request: {
        tenantId: 'tenant-1',
        user: 'admin',
        actor: { createdBy: 'ann', reason: 'why' },
        correlationId: 'c-1',
      },
    });
  });
  it('decodes base64 audit headers when they say so', async () => {
    const coded = Buffer.from('홍길동').toString('base64');
    const answer = await post('/1.0/kb/bare', '', { 'x-killbill-createdby': coded, 'x-killbill-encoding': 'base64' });
    expect(answer.json()).toMatchObject({ body: null, request: { actor: { createdBy: '홍길동' } } });
  });
  it('asks for X-Killbill-CreatedBy on changes under /1.0/kb only', async () => {
    const refused = await post('/1.0/kb/bare', '', { 'x-killbill-createdby': '' });
    expect(refused.statusCode).toBe(400);
    expect(refused.json()).toMatchObject({
      className: 'java.lang.IllegalArgumentException',
      code: null,
      stackTrace: [],
    });
    expect((await post('/v1/orders', { planId: 'a' }, { 'x-killbill-createdby': '' })).statusCode).toBe(201);
  });
  it('derives the command id from the idempotency key, and its hash from the body', async () => {
    const first = await post('/v1/orders', { planId: 'a' }, { 'idempotency-key': 'k' });
    const again = await post('/v1/orders', { planId: 'a' }, { 'idempotency-key': 'k' });
    const other = await post('/v1/orders', { planId: 'b' }, { 'idempotency-key': 'k' });
    type Seen = { request: RequestContext };
    const [one, two, three] = [first.json<Seen>(), again.json<Seen>(), other.json<Seen>()].map(
      ({ request }) => request,
    );
    expect(two).toEqual(one);
    expect(three?.commandId).toBe(one?.commandId);
    expect(three?.commandHash).not.toBe(one?.commandHash);
  });
});

describe('problems', () => {
  it('are Kill Bill bodies under /1.0/kb', async () => {
    const answer = await send({ url: '/1.0/kb/failures/known' });
    expect(answer.statusCode).toBe(404);
    expect(answer.json()).toEqual({
      className: 'org.killbill.billing.account.api.AccountApiException',
      code: 3002,
      message: 'Account does not exist for id x',
      causeClassName: null,
      causeMessage: null,
      stackTrace: [],
    });
  });
  it('are problem+json elsewhere', async () => {
    const answer = await send({ url: '/v1/failures?limit=7' });
    expect(answer.headers['content-type']).toMatch('application/problem+json');
    expect(answer.json()).toMatchObject({
      type: 'urn:problem:plan-unchanged',
      status: 409,
      detail: 'limit 7',
      instance: 'c-1',
    });
  });
  it('say nothing about an unexpected error but its correlation id', async () => {
    const answer = await send({ url: '/1.0/kb/failures/unknown' });
    expect(answer.statusCode).toBe(500);
    expect(answer.body).toContain('c-1');
    expect(answer.body).not.toContain('1234');
  });
  it('say of what the log cannot take at once that it is too much', async () => {
    const answer = await send({ url: '/1.0/kb/failures/large' });
    expect([answer.statusCode, answer.json<{ message: string }>().message]).toEqual([
      413,
      'This would record more than the log takes at once (1 MiB); ask for less at a time',
    ]);
  });

  it('answer unknown routes with 404 in the path’s own dialect', async () => {
    expect((await send({ url: '/1.0/kb/nowhere' })).json()).toMatchObject({ className: expect.any(String) as string });
    expect((await send({ url: '/v1/nowhere' })).json()).toMatchObject({ type: 'urn:problem:not-found', status: 404 });
  });
});

describe('bodies', () => {
  it('are refused when malformed, of a foreign type or too large', async () => {
    expect((await post('/1.0/kb/orders', '{"planId":')).json()).toMatchObject({
      message: expect.stringContaining('JSON') as string,
    });
    expect((await post('/1.0/kb/orders', '{"planId":')).statusCode).toBe(400);
    expect(
      (await post('/1.0/kb/orders', 'a=b', { 'content-type': 'application/x-www-form-urlencoded' })).statusCode,
    ).toBe(415);
    expect((await post('/v1/orders', 'x', { 'content-type': 'image/png' })).statusCode).toBe(415);
    expect((await post('/v1/orders', { planId: 'x'.repeat(1_100_000) })).statusCode).toBe(413);
    expect((await post('/v1/orders', '{"a":'.repeat(40) + '1' + '}'.repeat(40))).statusCode).toBe(400);
  });
  it('are refused when no database could keep their text', async () => {
    for (const [body, type] of [
      ['{"planId":"a\\u0000"}', 'application/json'],
      ['{"planId":"\\ud800"}', 'application/json'],
      ['a\u0000', 'text/plain'],
      ['planId=a%00', 'application/x-www-form-urlencoded'],
    ] as const)
      expect((await post('/v1/orders', body, { 'content-type': type })).json()).toMatchObject({
        status: 400,
        code: 'text-not-storable',
      });
  });
  it('are refused together with headers whose text no database could keep', async () => {
    const hidden = { 'x-killbill-encoding': 'base64', 'x-killbill-createdby': 'YQ==', 'x-killbill-comment': 'YQBi' };
    expect((await post('/v1/orders', { planId: 'gold' }, hidden)).json()).toMatchObject({
      status: 400,
      code: 'text-not-storable',
    });
  });
  it('may be larger where usage comes in', async () => {
    expect((await post('/meter/record/json', { a: 'x'.repeat(2_000_000) })).statusCode).toBe(201);
    expect((await post('/meter/record/json', { a: 'x'.repeat(6_000_000) })).statusCode).toBe(413);
  });
  it('stay raw when they are text or XML', async () => {
    const xml = await post('/1.0/kb/bare', '<catalog/>', { 'content-type': 'text/xml' });
    const form = await post('/1.0/kb/bare', '', { 'content-type': 'application/x-www-form-urlencoded' });
    expect([form.statusCode, form.json<{ body: unknown }>().body]).toEqual([201, null]);
    const html = await post('/1.0/kb/bare', '<p>a</p>', { 'content-type': 'text/html' });
    expect(html.json<{ body: unknown }>().body).toBe('<p>a</p>');
    const text = await post('/1.0/kb/bare', 'a=1\nb=2', { 'content-type': 'text/plain' });
    expect([xml.json<{ body: string }>().body, text.json<{ body: string }>().body]).toEqual(['<catalog/>', 'a=1\nb=2']);
  });
  it('name the wrong field by a pointer', async () => {
    const answer = await post('/v1/orders', { planId: 'a', lines: [{ quantity: 1 }, { quantity: 11 }] });
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({
      code: 'invalid-request',
      errors: [{ pointer: '/lines/1/quantity', code: 'max' }],
    });
    expect((await send({ url: '/v1/failures?limit=x' })).json()).toMatchObject({
      errors: [{ pointer: 'query:limit' }],
    });
  });
  it('may not carry unknown fields under /v1, and may under /1.0/kb', async () => {
    const refused = await post('/v1/orders', { planId: 'a', colour: 'red' });
    expect(refused.json()).toMatchObject({ status: 400, errors: [{ pointer: '/colour', code: 'unknown-field' }] });
    expect((await post('/1.0/kb/orders', { planId: 'a', colour: 'red' })).json()).toEqual({ planId: 'a' });
    expect((await send({ url: '/v1/failures?color=1' })).json()).toMatchObject({
      errors: [{ pointer: 'query:color' }],
    });
  });
  it('may be arrays, checked element by element', async () => {
    expect((await post('/1.0/kb/list', [{ quantity: 1 }, { quantity: 2 }])).json()).toEqual({ count: 2, isLine: true });
    expect((await post('/1.0/kb/list', [{ quantity: 1 }, {}])).json()).toMatchObject({
      message: expect.stringContaining('/1/quantity') as string,
    });
  });
});

describe('answers', () => {
  it('carry a content type even when empty', async () => {
    const created = await post('/1.0/kb/orders', { planId: 'silent' });
    const gone = await post('/1.0/kb/gone', '');
    expect([created.statusCode, created.body, created.headers['content-type']]).toEqual([201, '', 'application/json']);
    expect([gone.statusCode, gone.body, gone.headers['content-type']]).toEqual([204, '', 'application/json']);
  });
  it('name the public host in links and the next page', async () => {
    const headers = { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'billing.example' };
    const answer = await send({ url: '/1.0/kb/pages?offset=2&limit=2&audit=NONE', headers });
    expect(answer.headers).toMatchObject({
      'x-killbill-pagination-currentoffset': '2',
      'x-killbill-pagination-nextoffset': '4',
      'x-killbill-pagination-totalnbrecords': '5',
      'x-killbill-pagination-nextpageuri': 'https://billing.example/1.0/kb/pages?offset=4&limit=2&audit=NONE',
    });
  });
  it('do not say how many rows there are where that was not counted, and name a next page', async () => {
    const { headers } = await send({ url: '/1.0/kb/endless' });
    const own = Object.keys(headers).filter((name) => name.startsWith('x-killbill-pagination-'));
    expect(own.map((name) => name.replace('x-killbill-pagination-', '')).sort()).toEqual([
      'currentoffset',
      'nextoffset',
      'nextpageuri',
    ]);
  });
});

describe('the description', () => {
  it('names the parameters of a query and the elements of a list, as their validators have them', () => {
    const { paths, components } = openApiOf(app, 'test');
    expect(paths['/v1/failures']?.get?.parameters).toEqual([
      { name: 'limit', in: 'query', required: false, schema: { type: 'integer' } },
    ]);
    expect(paths['/1.0/kb/list']?.post?.requestBody).toEqual({
      required: true,
      content: { 'application/json': { schema: { type: 'array', items: { $ref: '#/components/schemas/Line' } } } },
    });
    expect(components?.schemas?.['Line']).toMatchObject({ properties: { quantity: { maximum: 10 } } });
  });
});
