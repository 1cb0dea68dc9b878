import { ProblemException } from '@billstream/http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answerTogether } from './answer-together';
import type { Dispatch, InnerRequest, Upstreams } from './dispatch';
import { serviceFor } from './routes';

type Answers = Readonly<Record<string, { readonly status: number; readonly body: string }>>;

/** The gateway's part alone, between a client and services that answer what they are told to. */
const between = async (answers: Answers) => {
  const asked: (Pick<InnerRequest, 'method' | 'path'> & { readonly of: string; readonly body: string })[] = [];
  const changedBy: unknown[] = [];
  const service = (of: string): Dispatch => ({
    forward: () => Promise.reject(new Error('not forwarded as it is')),
    call: ({ method, path, headers: sent, body }) => {
      asked.push({ of, method, path, body: String(body ?? '') });
      changedBy.push(sent['x-killbill-createdby']);
      const { status, body: text } = answers[of] ?? { status: 200, body: '{}' };
      const headers = { 'content-type': 'application/json' };
      return Promise.resolve({ status, headers, body: Buffer.from(text) });
    },
  });
  const upstreams: Upstreams = {
    accounts: service('accounts'),
    subscriptions: service('subscriptions'),
    metering: service('metering'),
    invoicing: service('invoicing'),
    payments: service('payments'),
  };
  const server = createServer((request, response) => {
    void answerTogether(upstreams, { request, response }, request.headers)
      .then((isAnswered) => {
        if (!isAnswered) response.writeHead(418).end();
      })
      .catch((error: unknown) => {
        if (!(error instanceof ProblemException)) throw error;
        response.writeHead(error.problem.status).end(error.problem.detail);
      });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  return { asked, changedBy, origin, close: () => new Promise((resolve) => server.close(resolve)) };
};

const accountId = '00000000-0000-4000-8000-000000000001';

describe('what more than one service answers', () => {
  it('a dry run is completed by subscriptions, invoicing and metering before invoicing answers it', async () => {
    const { asked, origin, close } = await between({
      subscriptions: { status: 200, body: '{"plannedTimelines":[1]}' },
      invoicing: { status: 200, body: '{"amount":5}' },
      metering: { status: 200, body: '{"countedUsage":[2]}' },
    });
    const answer = await fetch(`${origin}/1.0/kb/invoices/dryRun?accountId=1`, { method: 'POST', body: '{"a":1}' });
    expect(await answer.json()).toEqual({ amount: 5 });
    const inner = { method: 'POST', path: '/1.0/kb/internal/invoices/dryRun?accountId=1' };
    expect(asked).toEqual([
      { of: 'subscriptions', ...inner, body: '{"a":1}' },
      { of: 'invoicing', ...inner, body: '{"plannedTimelines":[1]}' },
      { of: 'metering', ...inner, body: '{"amount":5}' },
      {
        of: 'invoicing',
        method: 'POST',
        path: '/1.0/kb/invoices/dryRun?accountId=1',
        body: '{"countedUsage":[2]}',
      },
    ]);
    await close();
  });

  it('the preview of a backfill is metering’s, with the money that invoicing says beside it', async () => {
    const { asked, origin, close } = await between({
      metering: { status: 200, body: '{"answer":{"action":"COMMIT","next":null},"changed":[{"usageName":"calls"}]}' },
      invoicing: { status: 200, body: '{"charges":[{"amount":"5.00"}],"totals":[]}' },
    });
    const answer = await fetch(`${origin}/v1/usage/backfills/${accountId}/preview?interval=day`);
    expect(await answer.json()).toEqual({ action: 'COMMIT', next: null, charges: [{ amount: '5.00' }], totals: [] });
    expect(asked).toEqual([
      {
        ...{ of: 'metering', method: 'GET', body: '' },
        path: `/v1/internal/usage/backfills/${accountId}/preview?interval=day`,
      },
      {
        ...{ of: 'invoicing', method: 'POST', path: '/1.0/kb/internal/invoices/usageChanges' },
        body: '{"changed":[{"usageName":"calls"}]}',
      },
    ]);
    await close();
  });

  it('the preview of corrections goes to metering with its body, whoever asks', async () => {
    const { asked, changedBy, origin, close } = await between({
      metering: { status: 200, body: '{"answer":{"accepted":1},"changed":[]}' },
      invoicing: { status: 200, body: '{"charges":[],"totals":[]}' },
    });
    const answer = await fetch(`${origin}/v1/usage/corrections/preview`, { method: 'POST', body: '[{"id":"a"}]' });
    expect(await answer.json()).toEqual({ accepted: 1, charges: [], totals: [] });
    expect(asked[0]).toEqual({
      ...{ of: 'metering', method: 'POST', body: '[{"id":"a"}]' },
      path: '/v1/internal/usage/corrections/preview',
    });
    // Invoicing is asked on a path of Kill Bill's, where who changes something has to say so.
    expect(changedBy).toEqual([undefined, 'reader']);
    await close();
  });

  it.each([
    [404, { metering: { status: 404, body: '{"type":"urn:problem:backfill-not-found"}' } }],
    [503, { metering: { status: 200, body: '{"answer":{},"changed":[]}' }, invoicing: { status: 503, body: '{}' } }],
  ])('a preview that one of them refuses with %i is refused so', async (status, answers) => {
    const { origin, close } = await between(answers);
    expect((await fetch(`${origin}/v1/usage/backfills/${accountId}/preview`)).status).toBe(status);
    await close();
  });

  it('a refund of an invoice is completed by invoicing before payments gets it', async () => {
    const { asked, origin, close } = await between({
      invoicing: { status: 200, body: '{"adjustedItems":[]}' },
      payments: { status: 201, body: '' },
    });
    const path = `/1.0/kb/invoicePayments/${accountId}/refunds`;
    expect((await fetch(`${origin}${path}`, { method: 'POST', body: '{}' })).status).toBe(201);
    expect(asked.map(({ of, path: at, body }) => [of, at, body])).toEqual([
      ['invoicing', path.replace('/kb/', '/kb/internal/'), '{}'],
      ['payments', path, '{"adjustedItems":[]}'],
    ]);
    await close();
  });

  it('the first refusal is the answer', async () => {
    const { asked, origin, close } = await between({ invoicing: { status: 400, body: '{"code":1021}' } });
    const answer = await fetch(`${origin}/1.0/kb/invoices/dryRun`, { method: 'POST' });
    expect([answer.status, await answer.json(), asked.length]).toEqual([400, { code: 1021 }, 2]);
    await close();
  });

  it('an invoice as a page is answered by whoever gets the account, without a body of the reader', async () => {
    const { asked, origin, close } = await between({ accounts: { status: 200, body: '{"account":1}' } });
    await fetch(`${origin}/1.0/kb/invoices/${accountId}/html?locale=fr`);
    const inner = `/1.0/kb/internal/invoices/${accountId}/html`;
    expect(asked.map(({ of, method, path, body }) => `${method} ${of} ${path} ${body}`)).toEqual([
      `POST invoicing ${inner}?locale=fr {}`,
      `POST accounts ${inner}?locale=fr {}`,
      `POST invoicing ${inner}/answer?locale=fr {"account":1}`,
    ]);
    await close();
  });

  it('a timeline is what four services say of the account, or the refusal of one', async () => {
    const answers = {
      accounts: { status: 200, body: '{"name":"Jane"}' },
      subscriptions: { status: 200, body: '[1]' },
      invoicing: { status: 200, body: '[2]' },
      payments: { status: 200, body: '[3]' },
    };
    const path = `/1.0/kb/accounts/${accountId}/timeline?audit=FULL`;
    const all = await between(answers);
    expect(await (await fetch(`${all.origin}${path}`)).json()).toEqual({
      account: { name: 'Jane' },
      bundles: [1],
      invoices: [2],
      payments: [3],
    });
    expect(all.asked.map((one) => one.path)).toContain(
      `/1.0/kb/accounts/${accountId}/invoices?includeInvoiceComponents=true&audit=FULL`,
    );
    await all.close();
    const some = await between({ ...answers, accounts: { status: 404, body: '{"code":3002}' } });
    expect((await fetch(`${some.origin}${path}`)).status).toBe(404);
    await some.close();
  });

  it('a further page of an item of several units is asked for by the unit', async () => {
    const usages = ['calls', 'seats'].map((unit) => ({ unit, usageName: 'u', countedTo: '7' }));
    const several = await between({
      invoicing: { status: 200, body: JSON.stringify({ subscriptionId: 's', usages }) },
    });
    const path = '/v1/invoices/i/items/j/usage';
    const ask = async (origin: string, query: string) => (await fetch(`${origin}${path}${query}`)).status;
    const ofMetering = ({ asked }: typeof several) => asked.flatMap((one) => (one.of === 'metering' ? [one.path] : []));
    expect(await ask(several.origin, '?cursor=c')).toBe(400);
    expect(ofMetering(several)).toEqual([]);
    expect(await ask(several.origin, '?cursor=c&unit=seats')).toBe(200);
    const part = (unit: string) => `/v1/usage/billed?subscriptionId=s&unit=${unit}&usageName=u&countedTo=7&cursor=c`;
    expect(ofMetering(several)).toEqual([part('seats')]);
    await several.close();
    const body = JSON.stringify({ subscriptionId: 's', usages: usages.slice(0, 1) });
    const single = await between({ invoicing: { status: 200, body } });
    expect(await ask(single.origin, '?cursor=c')).toBe(200);
    expect(ofMetering(single)).toEqual([part('calls')]);
    await single.close();
  });

  it('everything else is for one service alone, and the inner path for nobody', async () => {
    const { origin, close } = await between({});
    expect((await fetch(`${origin}/1.0/kb/invoices/dryRun`)).status).toBe(418);
    expect(serviceFor('/1.0/kb/internal/invoices/dryRun')).toBeNull();
    await close();
  });
});
