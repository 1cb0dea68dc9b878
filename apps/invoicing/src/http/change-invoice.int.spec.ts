import { newId, parseCurrency } from '@billstream/kernel';
import { at, invoicingUnderTest } from '../testing/invoicing-under-test';

const usd = parseCurrency('USD');
if (usd === null) throw new Error('USD');

type Item = { readonly invoiceItemId: string; readonly invoiceId: string; readonly amount: number };
type Invoice = {
  readonly invoiceId: string;
  readonly status: string;
  readonly amount: number;
  readonly balance: number;
  readonly items: readonly (Item & { readonly itemType: string })[];
};

describe('what is put on invoices over HTTP', () => {
  let service: Awaited<ReturnType<typeof invoicingUnderTest>>;
  beforeAll(async () => {
    service = await invoicingUnderTest('2018-10-06T10:00:00Z');
  });
  afterAll(() => service.close());

  const account = async (): Promise<string> => {
    const accountId = newId();
    const facts = {
      accountId,
      externalKey: accountId,
      currency: usd,
      timeZone: 'UTC',
      referenceTime: at('2018-10-06T10:00:00Z'),
      billCycleDayLocal: 1,
      parentAccountId: null,
      isPaymentDelegatedToParent: false,
    };
    await service.reactions.recordNewAccount(service.told('accounts.account-created.v1', facts));
    await service.runtime.caughtUp();
    return accountId;
  };
  const charge = async (accountId: string, amount: number, autoCommit: boolean): Promise<Item> => {
    const url = `/invoices/charges/${accountId}?autoCommit=${String(autoCommit)}`;
    const answer = await service.call('POST', url, { payload: [{ amount, description: 'set-up' }] });
    expect(answer.statusCode).toBe(200);
    const [made] = answer.json<Item[]>();
    if (made === undefined) throw new Error(answer.body);
    return made;
  };
  const invoice = async (id: string): Promise<Invoice> => (await service.call('GET', `/invoices/${id}`)).json();
  const codeOf = (answer: { json: () => unknown }): unknown => (answer.json() as { readonly code: unknown }).code;

  it('is a draft until it is committed', async () => {
    const { invoiceId } = await charge(await account(), 10, false);
    expect(await invoice(invoiceId)).toMatchObject({ status: 'DRAFT', amount: 10, balance: 0 });
    expect((await service.call('PUT', `/invoices/${invoiceId}/commitInvoice`)).statusCode).toBe(204);
    expect(await invoice(invoiceId)).toMatchObject({ status: 'COMMITTED', amount: 10, balance: 10 });
    const again = await service.call('PUT', `/invoices/${invoiceId}/commitInvoice`);
    expect([again.statusCode, codeOf(again)]).toEqual([400, 4023]);
  });

  it('is credit where somebody paid more than was owed, once however often that is told', async () => {
    const accountId = await account();
    const excess = service.told('payments.excess-received.v1', { accountId, amountMinor: 500, currency: usd });
    await service.reactions.creditExcess(excess);
    await service.reactions.creditExcess(excess);
    await service.runtime.caughtUp();
    const invoices = (await service.call('GET', `/accounts/${accountId}/invoices?includeInvoiceComponents=true`)).json<
      readonly Invoice[]
    >();
    const items = invoices.flatMap((one) => one.items.map(({ itemType, amount }) => [itemType, amount]));
    expect(items).toEqual([
      ['CREDIT_ADJ', -5],
      ['CBA_ADJ', 5],
    ]);
  });

  it('says what is left of the items that a refund names, whatever a client claims', async () => {
    const { invoiceId, invoiceItemId } = await charge(await account(), 10, true);
    const adjusted = await service.call('POST', `/invoices/${invoiceId}`, { payload: { invoiceItemId, amount: 4 } });
    expect(adjusted.statusCode).toBe(201);
    const adjustments = [{ invoiceItemId, amount: 3 }, { invoiceItemId: newId() }, 5];
    const payload = { amount: 3, adjustments, adjustedItems: [{ invoiceItemId, leftMinor: 999 }] };
    const answer = await service.call('POST', `/internal/invoicePayments/${newId()}/refunds`, { payload });
    expect(answer.json()).toEqual({ ...payload, adjustedItems: [{ invoiceItemId, invoiceId, leftMinor: 600 }] });
    const none = await service.call('POST', `/internal/invoicePayments/${newId()}/refunds`);
    expect(none.json()).toEqual({ adjustedItems: [] });
    const text = { payload: 'ᘯ', headers: { 'content-type': 'text/html' } };
    const asItCame = await service.call('POST', `/internal/invoicePayments/${newId()}/refunds`, text);
    expect([asItCame.statusCode, asItCame.body]).toEqual([200, 'ᘯ']);
  });

  it.each(['as agreed', '{"usage":7}', '[]', 'null', '{"usage":[null]}'])(
    'is no metered usage where details are what somebody wrote: %s',
    async (itemDetails) => {
      const payload = [{ itemType: 'USAGE', amount: 5, itemDetails }];
      const made = await service.call('POST', `/invoices/migration/${await account()}`, { payload });
      const { invoiceId, items } = await invoice(String(made.headers['location']).split('/').at(-1) ?? '');
      const url = `/v1/invoices/${invoiceId}/items/${items[0]?.invoiceItemId ?? ''}/usage`;
      const answer = await service.call('GET', '', { url });
      expect([answer.statusCode, codeOf(answer)]).toEqual([404, 'no-usage']);
    },
  );

  it('is taken back by adjustments, up to what is left', async () => {
    const { invoiceId, invoiceItemId } = await charge(await account(), 10, true);
    const adjust = (amount?: number) =>
      service.call('POST', `/invoices/${invoiceId}`, { payload: { invoiceItemId, ...(amount ? { amount } : {}) } });
    expect(codeOf(await adjust(11))).toBe(4020);
    const adjusted = await adjust(4);
    expect([adjusted.statusCode, adjusted.headers['location']]).toEqual([
      201,
      expect.stringContaining(`/1.0/kb/invoices/${invoiceId}`),
    ]);
    expect(await invoice(invoiceId)).toMatchObject({ amount: 6, balance: 6 });
    expect((await adjust()).statusCode).toBe(201);
    expect((await adjust()).statusCode).toBe(404);
  });

  it('is void when it is voided, and out of the account’s invoices', async () => {
    const accountId = await account();
    const { invoiceId } = await charge(accountId, 10, true);
    expect((await service.call('PUT', `/invoices/${invoiceId}/voidInvoice`)).statusCode).toBe(204);
    const list = async (query = ''): Promise<unknown[]> =>
      (await service.call('GET', `/accounts/${accountId}/invoices${query}`)).json();
    expect(await list()).toEqual([]);
    expect(await list('?includeVoidedInvoices=true')).toHaveLength(1);
  });

  it('is paid by credit, whose amounts are told positive', async () => {
    const accountId = await account();
    const { invoiceId } = await charge(accountId, 10, true);
    const payload = [{ accountId, amount: 25 }];
    const answer = await service.call('POST', '/credits?autoCommit=true', { payload });
    const [credit] = answer.json<Item[]>();
    expect([answer.statusCode, credit?.amount]).toEqual([200, 25]);
    expect((await service.call('GET', `/credits/${credit?.invoiceItemId ?? ''}`)).json()).toMatchObject({ amount: 25 });
    expect(await invoice(invoiceId)).toMatchObject({ balance: 0 });
    const given = await invoice(credit?.invoiceId ?? '');
    expect(given).toMatchObject({ amount: 0, balance: 0 });
    const cba = given.items.find(({ itemType }) => itemType === 'CBA_ADJ')?.invoiceItemId ?? '';
    const path = `/invoices/${given.invoiceId}/${cba}/cba?accountId=${accountId}`;
    expect((await service.call('DELETE', path)).statusCode).toBe(204);
    expect(await invoice(invoiceId)).toMatchObject({ balance: 10 });
    expect(codeOf(await service.call('DELETE', path))).toBe(4030);
  });

  it.each([
    ['no amount', [{}], 4015],
    ['a negative amount', [{ amount: -1 }], 4015],
    ['another currency', [{ amount: 1, currency: 'EUR' }], 3],
    ['more than the books can add up', [{ amount: 1e18 }], null],
    ['a date that is none', [{ amount: 1, startDate: 'soon' }], null],
  ])('is refused by name for %s', async (_, payload, code) => {
    const answer = await service.call('POST', `/invoices/charges/${await account()}`, { payload });
    expect([answer.statusCode, codeOf(answer)]).toEqual([400, code]);
  });

  it('is found by number, by account and by what it owes', async () => {
    const accountId = await account();
    const { invoiceId } = await charge(accountId, 999, true);
    const find = async (key: string): Promise<readonly Invoice[]> =>
      (await service.call('GET', `/invoices/search/${encodeURIComponent(key)}`)).json();
    expect((await find(accountId)).map((one) => one.invoiceId)).toEqual([invoiceId]);
    expect((await find(`_q=1&balance[gt]=998&account_id=${accountId}`)).map((one) => one.invoiceId)).toEqual([
      invoiceId,
    ]);
    expect(await find(`_q=1&balance[gt]=999&account_id=${accountId}`)).toEqual([]);
    const wrong = await service.call('GET', `/invoices/search/${encodeURIComponent('_q=1&owner=me')}`);
    expect(wrong.statusCode).toBe(400);
  });

  it('is shown as a page, by the tenant’s template and words where it has some', async () => {
    const { invoiceId } = await charge(await account(), 10, true);
    const policy = (await service.call('GET', `/invoices/${invoiceId}/html`)).headers['content-security-policy'];
    expect(policy).toBe('sandbox');
    const page = async (): Promise<string> => (await service.call('GET', `/invoices/${invoiceId}/html`)).body;
    expect(await page()).toContain('10.00 USD');
    const headers = { 'content-type': 'text/plain' };
    const template = '{{text.invoiceTitle}}: {{#invoice.invoiceItems}}{{description}}{{/invoice.invoiceItems}}';
    const upload = (path: string, payload: string) => service.call('POST', `/invoices/${path}`, { payload, headers });
    expect((await upload('template', template)).statusCode).toBe(201);
    expect((await upload('template', template)).statusCode).toBe(400);
    expect((await upload('template?deleteIfExists=true', '{{#open}}')).statusCode).toBe(400);
    expect((await upload('translation/en_US', 'invoiceTitle = BILL')).statusCode).toBe(201);
    expect(await page()).toBe('BILL: set-up');
    expect((await service.call('GET', '/invoices/template')).body).toBe(template);
    expect((await service.call('GET', '/invoices/translation/fr_FR')).statusCode).toBe(404);
  });

  it('follows the control tags and settings that accounts tell of', async () => {
    const accountId = await account();
    const { invoiceId } = await charge(accountId, 10, true);
    const change = { accountId, objectType: 'INVOICE', objectId: invoiceId, tag: 'WRITTEN_OFF', isSet: true } as const;
    await service.reactions.recordControlTag(service.told('accounts.control-tag-changed.v1', change));
    const settings = { 'org.killbill.invoice.maxNumberOfMonthsInFuture': '1', 'some.other': 'x' };
    const told = { tenantId: service.tenantId, settings };
    await service.reactions.recordSettings(service.told('accounts.tenant-settings-changed.v1', told));
    await service.runtime.caughtUp();
    expect(await invoice(invoiceId)).toMatchObject({ status: 'COMMITTED', balance: 0 });
    const far = await service.call('POST', `/invoices?accountId=${accountId}&targetDate=2018-12-06`);
    expect([far.statusCode, codeOf(far)]).toEqual([400, 4005]);
  });
});
