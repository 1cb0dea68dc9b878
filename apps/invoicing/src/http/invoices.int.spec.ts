import { decimal, newId, parseCurrency } from '@billstream/kernel';
import type { BillingTransition, ResolvedPhase } from '@billstream/subscriptions-contracts';
import { invoicingService } from '../index';
import { at, invoicingUnderTest } from '../testing/invoicing-under-test';
import { eventually } from '@billstream/testing';

const start = '2018-10-06T10:00:00Z';
const usd = parseCurrency('USD');
if (usd === null) throw new Error('USD');

const phase: ResolvedPhase = {
  planName: 'standard-monthly',
  prettyPlanName: 'Standard monthly',
  productName: 'Standard',
  prettyProductName: null,
  productCategory: 'BASE',
  priceList: 'DEFAULT',
  phaseName: 'standard-monthly-evergreen',
  prettyPhaseName: null,
  phaseType: 'EVERGREEN',
  duration: null,
  fixedPrice: null,
  recurring: { price: decimal('20'), billingPeriod: 'MONTHLY' },
  recurringBillingMode: 'IN_ADVANCE',
  usages: [
    {
      name: 'host-usage',
      usageType: 'CONSUMABLE',
      billingMode: 'IN_ARREAR',
      billingPeriod: 'MONTHLY',
      tierBlockPolicy: 'ALL_TIERS',
      tiers: [
        {
          blocks: [{ unit: 'host', size: decimal(1), max: null, price: decimal('0.01') }],
          limits: [],
          recurringPrice: null,
        },
      ],
    },
  ],
  billingAlignment: 'ACCOUNT',
  catalogEffectiveDate: at('2018-01-01T00:00:00Z'),
};

const transition = (
  kind: BillingTransition['kind'],
  when: string,
  charged: ResolvedPhase | null,
): BillingTransition => ({
  transitionId: newId(),
  kind,
  effectiveAt: at(when),
  phase: charged,
  quantity: 1,
  billCycleDayLocal: null,
});

type Invoice = {
  readonly invoiceId: string;
  readonly invoiceNumber: string;
  readonly amount: number;
  readonly balance: number;
  readonly items: readonly {
    readonly itemType: string;
    readonly amount: number;
    readonly itemDetails: string | null;
  }[];
};

describe('invoices over HTTP', () => {
  let system: Awaited<ReturnType<typeof invoicingUnderTest>>;
  const accountId = newId();
  const subscriptionId = newId();
  const first = transition('START', start, phase);

  const subscribe = (...transitions: readonly BillingTransition[]): Promise<void> =>
    system.reactions.recordTimeline(
      system.told('subscriptions.billing-changed.v1', {
        accountId,
        bundleId: newId(),
        bundleExternalKey: 'bundle',
        subscriptionId,
        externalKey: 'subscription',
        productCategory: 'BASE' as const,
        transitions,
        firstBillableAt: at(start),
        bundleFirstBillableAt: at(start),
      }),
    );

  /** Metering's answer to everything it was asked. */
  const answerUsage = async (): Promise<void> => {
    const { events } = await system.store.readAll({ after: null, prefixes: invoicingService.streams });
    for (const asked of events.flatMap(invoicingService.publication)) {
      if (asked.type !== 'invoicing.usage-requested.v1') continue;
      const { requestId, periods } = asked.data as {
        requestId: string;
        periods: { unit: string; usageName: string; fromAt: never; toAt: never }[];
      };
      const usages = periods.map((period) => ({
        ...period,
        quantity: decimal(744),
        metered: decimal(750),
        free: decimal(6),
        records: 3,
        syntheticBuckets: 0,
        rule: { unit: 'host', version: 1, countingMethod: 'AVG' as const },
        countedTo: '17',
      }));
      await system.reactions.recordUsage(
        system.told('metering.usage-closed.v1', { requestId, accountId, subscriptionId, usages }),
      );
    }
    await system.runtime.caughtUp();
  };

  const invoices = async (flags = '?includeInvoiceComponents=true'): Promise<readonly Invoice[]> =>
    (await system.call('GET', `/accounts/${accountId}/invoices${flags}`)).json<readonly Invoice[]>();

  beforeAll(async () => {
    system = await invoicingUnderTest(start);
    await system.reactions.recordNewAccount(
      system.told('accounts.account-created.v1', {
        accountId,
        externalKey: 'jane',
        currency: usd,
        timeZone: 'UTC',
        referenceTime: at(start),
        billCycleDayLocal: 0,
        parentAccountId: null,
        isPaymentDelegatedToParent: false,
      }),
    );
    await subscribe(first);
    await system.runtime.caughtUp();
  }, 30_000);
  afterAll(() => system.close());

  it('shows the invoice of a new subscription by its id, its number and its account', async () => {
    const [invoice] = await invoices();
    expect(invoice).toMatchObject({
      amount: 20,
      balance: 20,
      currency: 'USD',
      status: 'COMMITTED',
      creditAdj: 0,
      refundAdj: 0,
      invoiceDate: '2018-10-06',
      targetDate: '2018-10-06',
      accountId,
      bundleKeys: null,
      trackingIds: [],
      isParentInvoice: false,
      auditLogs: [],
      items: [
        {
          itemType: 'RECURRING',
          startDate: '2018-10-06',
          endDate: '2018-11-06',
          amount: 20,
          rate: 20,
          subscriptionId,
          planName: 'standard-monthly',
          prettyPlanName: 'Standard monthly',
          linkedInvoiceItemId: null,
          childItems: null,
        },
      ],
    });
    const byId = await system.call('GET', `/invoices/${invoice?.invoiceId ?? ''}`);
    expect(byId.json()).toEqual(invoice);
    const byNumber = await system.call('GET', `/invoices/byNumber/${invoice?.invoiceNumber ?? ''}`);
    expect(byNumber.json()).toEqual(invoice);
  });

  it('is blind to the invoices of another tenant', async () => {
    const [invoice] = await invoices();
    const other = { tenant: newId() };
    expect((await system.call('GET', `/invoices/${invoice?.invoiceId ?? ''}`, other)).statusCode).toBe(404);
    expect((await system.call('GET', `/accounts/${accountId}/invoices`, other)).statusCode).toBe(404);
    expect((await system.call('POST', `/invoices?accountId=${accountId}`, other)).statusCode).toBe(404);
    expect((await system.call('GET', '/invoices/pagination', other)).json()).toEqual([]);
  });

  it('names what it does not know in Kill Bill’s codes', async () => {
    const unknown = await system.call('GET', `/invoices/${newId()}`);
    expect([unknown.statusCode, unknown.json<{ code: number }>().code]).toEqual([404, 4006]);
    const number = await system.call('GET', '/invoices/byNumber/17');
    expect([number.statusCode, number.json<{ code: number }>().code]).toEqual([400, 4018]);
    const far = await system.call('POST', `/invoices?accountId=${accountId}&targetDate=2028-01-01`);
    expect([far.statusCode, far.json<{ code: number }>().code]).toEqual([400, 4005]);
  });

  it('answers 404 without a body when there is nothing to invoice, and 204 to a preview of it', async () => {
    const nothing = await system.call('POST', `/invoices?accountId=${accountId}`);
    expect([nothing.statusCode, nothing.body]).toEqual([404, '']);
    const preview = await system.call('POST', `/invoices/dryRun?accountId=${accountId}`);
    expect([preview.statusCode, preview.body]).toEqual([204, '']);
  });

  it('previews the next invoice without keeping it', async () => {
    const payload = { dryRunType: 'TARGET_DATE' };
    const preview = await system.call('POST', `/invoices/dryRun?accountId=${accountId}&targetDate=2018-11-06`, {
      payload,
    });
    expect(preview.statusCode).toBe(200);
    expect(preview.json<Invoice>().items).toMatchObject([
      { itemType: 'RECURRING', startDate: '2018-11-06', amount: 20 },
    ]);
    expect(await invoices()).toHaveLength(1);
  });

  it('invoices the next term and the usage of the last one when metering has answered', async () => {
    await system.moveTo('2018-11-06T10:00:00Z');
    expect(await invoices()).toHaveLength(1);
    await answerUsage();
    const [, second] = await invoices();
    expect(second?.items.map(({ itemType, amount }) => [itemType, amount])).toEqual([
      ['RECURRING', 20],
      ['USAGE', 7.44],
    ]);
    expect(JSON.parse(second?.items[1]?.itemDetails ?? '')).toMatchObject({
      tierDetails: [{ tier: 1, tierUnit: 'host', quantity: 744, amount: 7.44 }],
      usage: [{ metered: 750, free: 6, records: 3, rule: { version: 1 } }],
    });
  });

  it('makes the invoice that is asked for and says where it is', async () => {
    // The usage under way is counted for it, while the client waits.
    let isMade = false;
    const asking = system.call('POST', `/invoices?accountId=${accountId}&targetDate=2018-12-06`).finally(() => {
      isMade = true;
    });
    await eventually(async () => {
      await answerUsage();
      return isMade;
    });
    const made = await asking;
    expect(made.statusCode).toBe(201);
    const path = new URL(String(made.headers.location)).pathname.replace('/1.0/kb', '');
    expect((await system.call('GET', path)).json<Invoice>()).toMatchObject({ amount: 27.44, targetDate: '2018-12-06' });
  });

  it('keeps a paid invoice out of the unpaid ones and turns what is paid too much into credit', async () => {
    const [invoice] = await invoices();
    await system.reactions.recordPayment(
      system.told('payments.invoice-payment-changed.v1', {
        accountId,
        invoiceId: invoice?.invoiceId ?? '',
        paymentId: newId(),
        transactionId: newId(),
        transactionType: 'PURCHASE' as const,
        status: 'SUCCESS' as const,
        amountMinor: 2500,
        currency: usd,
        effectiveAt: at(start),
      }),
    );
    await system.runtime.caughtUp();
    const [paid, second] = await invoices();
    expect(paid).toMatchObject({ balance: 0, creditAdj: 5 });
    expect(second).toMatchObject({ amount: 27.44, balance: 22.44, creditAdj: -5 });
    expect(await invoices('?unpaidInvoicesOnly=true')).toHaveLength(2);
    for (const flags of ['', '?includeInvoiceComponents=false', '/pagination'])
      expect([flags, (await invoices(flags)).map(({ amount, items }) => [amount, items])]).toEqual([
        flags,
        (await invoices()).map(({ amount }) => [amount, []]),
      ]);
    for (const { items } of await invoices('?unpaidInvoicesOnly=true')) expect(items).not.toEqual([]);
  });

  it('repairs what was charged ahead when the subscription is cancelled', async () => {
    await subscribe(first, transition('CANCEL', '2018-11-06T10:00:00Z', null));
    await answerUsage();
    const all = await invoices();
    expect(all.at(-1)?.items.map(({ itemType, amount }) => [itemType, amount])).toEqual([
      ['REPAIR_ADJ', -20],
      ['REPAIR_ADJ', -20],
      ['CBA_ADJ', 40],
    ]);
    // Charged 74.88, repaired 40, paid 25.
    expect(all.reduce((total, { balance }) => total + balance, 0)).toBeCloseTo(9.88, 10);
    expect(await system.database.query('select * from due_work')).toEqual([]);
  });

  it('lists page by page, in the order of creation or backwards', async () => {
    const page = await system.call('GET', '/invoices/pagination?offset=1&limit=2');
    expect(page.headers['x-killbill-pagination-totalnbrecords']).toBe('4');
    expect(page.json<readonly Invoice[]>().map(({ invoiceId }) => invoiceId)).toEqual(
      (await invoices()).slice(1, 3).map(({ invoiceId }) => invoiceId),
    );
    const last = await system.call('GET', '/invoices/pagination?limit=-1');
    expect(last.json<readonly Invoice[]>()[0]?.invoiceId).toBe((await invoices()).at(-1)?.invoiceId);
  });

  it('is the same when the read models are built again from the log in one batch', async () => {
    const tables = invoicingService.readModels.flatMap((model) => model.tables);
    const contents = (): Promise<readonly unknown[]> =>
      Promise.all(tables.map((table) => system.database.query(`select * from ${table} t order by t::text`)));
    const before = await contents();
    const { events } = await system.store.readAll({ after: null, prefixes: invoicingService.streams });
    for (const model of invoicingService.readModels)
      await system.database.transaction(async (tx) => {
        for (const table of model.tables) await tx.query(`truncate ${table}`);
        await model.apply(tx, events);
      });
    expect(await contents()).toEqual(before);
  });
});
