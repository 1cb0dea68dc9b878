import type { AccountFacts } from '@billstream/accounts-contracts';
import type { PublicEvent } from '@billstream/event-sourcing';
import { decimal, newId, parseCurrency } from '@billstream/kernel';
import type { ResolvedPhase } from '@billstream/subscriptions-contracts';
import { invoicingService } from '../index';
import { at, invoicingUnderTest } from '../testing/invoicing-under-test';

const start = '2018-10-06T10:00:00Z';
const phase: ResolvedPhase = {
  planName: 'standard-monthly',
  prettyPlanName: null,
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
  usages: [],
  billingAlignment: 'ACCOUNT',
  catalogEffectiveDate: at('2018-01-01T00:00:00Z'),
};

const overdueXml = `<overdueConfig><accountOverdueStates>
  <initialReevaluationInterval><unit>DAYS</unit><number>10</number></initialReevaluationInterval>
  <state name="LATE">
    <condition><timeSinceEarliestUnpaidInvoiceEqualsOrExceeds><unit>DAYS</unit><number>10</number></timeSinceEarliestUnpaidInvoiceEqualsOrExceeds></condition>
    <externalMessage>Please pay</externalMessage>
    <blockChanges>true</blockChanges>
  </state>
</accountOverdueStates></overdueConfig>`;

type Invoice = {
  readonly invoiceId: string;
  readonly status: string;
  readonly balance: number;
  readonly isParentInvoice: boolean;
  readonly parentInvoiceId: string | null;
  readonly parentAccountId: string | null;
  readonly items: readonly {
    readonly itemType: string;
    readonly amount: number;
    readonly childItems: readonly object[] | null;
  }[];
};

describe('a parent that pays for its child', () => {
  let system: Awaited<ReturnType<typeof invoicingUnderTest>>;
  const parentId = newId();
  const childId = newId();

  const record = async (accountId: string, facts: Partial<AccountFacts>): Promise<void> =>
    system.reactions.recordNewAccount(
      system.told('accounts.account-created.v1', {
        accountId,
        externalKey: accountId,
        currency: parseCurrency('USD'),
        timeZone: 'UTC',
        referenceTime: at(start),
        billCycleDayLocal: 6,
        parentAccountId: null,
        isPaymentDelegatedToParent: false,
        ...facts,
      }),
    );

  /** What the service published since the last time reaches its own reactions. */
  let told = 0;
  const hearItself = async (): Promise<void> => {
    for (let before = -1; before !== told;) {
      before = told;
      const { events } = await system.store.readAll({ after: null, prefixes: invoicingService.streams, max: 10_000 });
      const published = events.flatMap((event) =>
        invoicingService.publication(event).map(({ type, data }) => ({ ...system.told(type, data), id: event.id })),
      );
      for (const event of published.slice(told)) await hear(event);
      told = published.length;
    }
    await system.runtime.caughtUp();
  };
  const hear = async (event: PublicEvent): Promise<void> => {
    if (event.type === 'invoicing.invoice-committed.v1') await system.family.invoiceCommitted(event as never);
    if (event.type === 'invoicing.credit-transferred.v1') await system.family.creditTransferred(event as never);
    if (event.type !== 'invoicing.balance-changed.v1') return;
    await system.family.balanceChanged(event as never);
    await system.overdue.balanceChanged(event as never);
  };
  const invoicesOf = async (accountId: string): Promise<readonly Invoice[]> =>
    (await system.call('GET', `/accounts/${accountId}/invoices?includeInvoiceComponents=true`)).json();
  const overdueOf = async (accountId: string): Promise<{ name: string; externalMessage: string }> =>
    (await system.call('GET', `/accounts/${accountId}/overdue`)).json();

  beforeAll(async () => {
    system = await invoicingUnderTest(start);
    await record(parentId, {});
    await record(childId, { parentAccountId: parentId, isPaymentDelegatedToParent: true });
    await system.runtime.caughtUp();
  }, 30_000);
  afterAll(() => system.close());

  it('may have overdue states, and is clear to begin with', async () => {
    const xml = { payload: overdueXml, headers: { 'content-type': 'text/xml' } };
    expect((await system.call('POST', '/overdue/xml', xml)).statusCode).toBe(201);
    expect((await system.call('GET', '/overdue')).json()).toMatchObject({
      initialReevaluationInterval: 10,
      overdueStates: [{ name: 'LATE', isBlockChanges: true }],
    });
    expect((await system.call('GET', '/overdue/xml')).body).toContain('<state name="LATE">');
    expect(await overdueOf(childId)).toMatchObject({ name: '__KILLBILL__CLEAR__OVERDUE_STATE__' });
    const wrong = await system.call('POST', '/overdue', { payload: { overdueStates: [{ name: '' }] } });
    expect(wrong.statusCode).toBe(400);
  });

  it('gets the child\u2019s invoice on a draft of the day', async () => {
    await system.reactions.recordTimeline(
      system.told('subscriptions.billing-changed.v1', {
        accountId: childId,
        bundleId: newId(),
        bundleExternalKey: 'bundle',
        subscriptionId: newId(),
        externalKey: 'subscription',
        productCategory: 'BASE' as const,
        transitions: [
          {
            transitionId: newId(),
            kind: 'START' as const,
            effectiveAt: at(start),
            phase,
            quantity: 1,
            billCycleDayLocal: null,
          },
        ],
        firstBillableAt: at(start),
        bundleFirstBillableAt: at(start),
      }),
    );
    await hearItself();
    const [draft] = await invoicesOf(parentId);
    expect(draft).toMatchObject({ status: 'DRAFT', balance: 0, isParentInvoice: true });
    expect(draft?.items).toMatchObject([{ itemType: 'PARENT_SUMMARY', amount: 20, childItems: null }]);
    // Nobody owes it while the parent's invoice may still change.
    expect(await invoicesOf(childId)).toMatchObject([
      { balance: 0, parentInvoiceId: draft?.invoiceId, parentAccountId: parentId },
    ]);
  });

  it('owes it when the day is over, and shows what it is for', async () => {
    await system.moveTo('2018-10-07T00:00:00Z');
    await hearItself();
    const [invoice] = await invoicesOf(parentId);
    expect(invoice).toMatchObject({ status: 'COMMITTED', balance: 20 });
    expect(await invoicesOf(childId)).toMatchObject([{ balance: 20 }]);
    const shown = await system.call('GET', `/invoices/${invoice?.invoiceId ?? ''}?withChildrenItems=true`);
    expect(shown.json()).toMatchObject({ items: [{ childItems: [{ itemType: 'RECURRING', amount: 20 }] }] });
  });

  it('is late together with its child', async () => {
    await system.moveTo('2018-10-17T00:00:00Z');
    await system.runtime.caughtUp();
    expect(await overdueOf(parentId)).toMatchObject({ name: 'LATE', externalMessage: 'Please pay' });
    expect(await overdueOf(childId)).toMatchObject({ name: 'LATE' });
  });

  it('settles the child\u2019s invoice and clears both when it pays', async () => {
    const [invoice] = await invoicesOf(parentId);
    const usd = parseCurrency('USD');
    if (usd === null || invoice === undefined) throw new Error('no invoice');
    await system.reactions.recordPayment(
      system.told('payments.invoice-payment-changed.v1', {
        accountId: parentId,
        invoiceId: invoice.invoiceId,
        paymentId: newId(),
        transactionId: newId(),
        transactionType: 'PURCHASE' as const,
        status: 'SUCCESS' as const,
        amountMinor: 2000,
        currency: usd,
        effectiveAt: at('2018-10-17T00:00:00Z'),
      }),
    );
    await hearItself();
    expect(await invoicesOf(childId)).toMatchObject([{ balance: 0 }]);
    expect(await overdueOf(parentId)).toMatchObject({ name: '__KILLBILL__CLEAR__OVERDUE_STATE__' });
    expect(await overdueOf(childId)).toMatchObject({ name: '__KILLBILL__CLEAR__OVERDUE_STATE__' });
  });

  it('takes over the child\u2019s credit, once', async () => {
    const moved = (id: string) => system.call('PUT', `/accounts/${id}/transferCredit`);
    expect((await moved(parentId)).json()).toMatchObject({ code: 3009 });
    expect((await moved(childId)).json()).toMatchObject({ code: 4027 });
    const credit = { payload: [{ accountId: childId, amount: 7 }] };
    expect((await system.call('POST', '/credits?autoCommit=true', credit)).statusCode).toBeLessThan(300);
    await hearItself();
    expect((await moved(childId)).statusCode).toBe(204);
    await hearItself();
    const credits = (await invoicesOf(parentId)).flatMap(({ items }) => items.map(({ itemType }) => itemType));
    expect(credits.filter((type) => type === 'CREDIT_ADJ')).toHaveLength(1);
    expect((await system.call('PUT', `/accounts/${childId}/transferCredit`)).json()).toMatchObject({ code: 4027 });
  });

  it('is not charged for what a child pays that has become its own payer', async () => {
    const usd = parseCurrency('USD');
    if (usd === null) throw new Error('no currency');
    const formerId = newId();
    const facts = { parentAccountId: parentId, isPaymentDelegatedToParent: true };
    await record(formerId, facts);
    await system.runtime.caughtUp();
    const charges = { payload: [{ amount: 20, currency: 'USD' }] };
    const charged = await system.call('POST', `/invoices/charges/${formerId}?autoCommit=true`, charges);
    expect(charged.statusCode).toBe(200);
    await hearItself();
    const summed = async () => (await invoicesOf(parentId)).find(({ status }) => status === 'DRAFT')?.items;
    expect(await summed()).toMatchObject([{ itemType: 'PARENT_SUMMARY', amount: 20 }]);
    await record(formerId, { ...facts, isPaymentDelegatedToParent: false });
    await system.reactions.recordPayment(
      system.told('payments.invoice-payment-changed.v1', {
        accountId: formerId,
        invoiceId: (await invoicesOf(formerId))[0]?.invoiceId ?? '',
        ...{ paymentId: newId(), transactionId: newId(), transactionType: 'PURCHASE' as const },
        ...{ status: 'SUCCESS' as const, amountMinor: 2000, currency: usd },
        effectiveAt: at('2018-10-17T00:00:00Z'),
      }),
    );
    await hearItself();
    expect(await summed()).toMatchObject([{ itemType: 'PARENT_SUMMARY', amount: 0 }]);
  });

  it('that had its invoice voided is charged anew, and what credit had paid of it settles nothing', async () => {
    const [otherParentId, otherChildId] = [newId(), newId()];
    await record(otherParentId, {});
    await record(otherChildId, { parentAccountId: otherParentId, isPaymentDelegatedToParent: true });
    await system.runtime.caughtUp();
    const credit = { payload: [{ accountId: otherParentId, amount: 20 }] };
    await system.call('POST', '/credits?autoCommit=true', credit);
    const charges = { payload: [{ amount: 20, currency: 'USD' }] };
    await system.call('POST', `/invoices/charges/${otherChildId}?autoCommit=true`, charges);
    await hearItself();
    const draftOf = async () => (await invoicesOf(otherParentId)).find(({ status }) => status === 'DRAFT');
    const first = (await draftOf())?.invoiceId ?? '';
    expect((await system.call('PUT', `/invoices/${first}/commitInvoice`)).statusCode).toBe(204);
    await hearItself();
    expect(await invoicesOf(otherChildId)).toMatchObject([{ balance: 0, parentInvoiceId: first }]);

    expect((await system.call('PUT', `/invoices/${first}/voidInvoice`)).statusCode).toBe(204);
    await hearItself();
    const second = await draftOf();
    expect(second?.items).toMatchObject([{ itemType: 'PARENT_SUMMARY', amount: 20 }]);
    // The credit that had come back goes into something else, so the second is owed.
    await system.call('POST', `/invoices/charges/${otherParentId}?autoCommit=true`, charges);
    expect((await system.call('PUT', `/invoices/${second?.invoiceId ?? ''}/commitInvoice`)).statusCode).toBe(204);
    await hearItself();
    expect(await invoicesOf(otherChildId)).toMatchObject([{ balance: 20, parentInvoiceId: second?.invoiceId }]);
  });

  it('is charged on its next invoice for what its child owes again, and settles it with both', async () => {
    const usd = parseCurrency('USD');
    if (usd === null) throw new Error('no currency');
    const [payerId, growingId] = [newId(), newId()];
    await record(payerId, {});
    await record(growingId, { parentAccountId: payerId, isPaymentDelegatedToParent: true });
    await system.runtime.caughtUp();
    const charges = { payload: [{ amount: 20, currency: 'USD' }] };
    await system.call('POST', `/invoices/charges/${growingId}?autoCommit=true`, charges);
    await hearItself();
    const owed = async () => (await invoicesOf(payerId)).filter(({ status }) => status !== 'VOID');
    const commit = async () => {
      const draft = (await owed()).find(({ status }) => status === 'DRAFT');
      expect((await system.call('PUT', `/invoices/${draft?.invoiceId ?? ''}/commitInvoice`)).statusCode).toBe(204);
      await hearItself();
    };
    const paymentId = newId();
    const told = async (accountId: string, invoiceId: string, more: object) => {
      await system.reactions.recordPayment(
        system.told('payments.invoice-payment-changed.v1', {
          ...{ accountId, invoiceId, paymentId, transactionId: newId(), transactionType: 'PURCHASE' as const },
          ...{ status: 'SUCCESS' as const, amountMinor: 500, currency: usd, effectiveAt: at('2018-10-17T00:00:00Z') },
          ...more,
        }),
      );
      await hearItself();
    };
    await commit();
    const childInvoice = (await invoicesOf(growingId))[0]?.invoiceId ?? '';
    await told(growingId, childInvoice, {});
    expect(await owed()).toMatchObject([{ balance: 15 }]);
    await told(growingId, childInvoice, { transactionType: 'REFUND' });
    expect(await owed()).toMatchObject([{ balance: 15 }, { status: 'DRAFT', items: [{ amount: 5 }] }]);
    await commit();
    const [first, second] = await owed();
    await told(payerId, second?.invoiceId ?? '', { paymentId: newId() });
    expect(await invoicesOf(growingId)).toMatchObject([{ balance: 15, parentInvoiceId: first?.invoiceId }]);
    await told(payerId, first?.invoiceId ?? '', { paymentId: newId(), amountMinor: 1_500 });
    expect(await invoicesOf(growingId)).toMatchObject([{ balance: 0 }]);
  });

  it('that nobody has heard of yet does not lose the invoice of its child', async () => {
    const [lateParentId, earlyChildId] = [newId(), newId()];
    await record(earlyChildId, { parentAccountId: lateParentId, isPaymentDelegatedToParent: true });
    await system.runtime.caughtUp();
    const charges = { payload: [{ amount: 20, currency: 'USD' }] };
    await system.call('POST', `/invoices/charges/${earlyChildId}?autoCommit=true`, charges);
    await expect(hearItself()).rejects.toThrow('not known yet');
    await record(lateParentId, {});
    await hearItself();
    expect(await invoicesOf(lateParentId)).toMatchObject([{ status: 'DRAFT', items: [{ amount: 20 }] }]);
  });

  it('takes over no credit of another currency', async () => {
    const foreignId = newId();
    await record(foreignId, { parentAccountId: parentId, currency: parseCurrency('JPY') });
    await system.runtime.caughtUp();
    const credit = { payload: [{ accountId: foreignId, amount: 700 }] };
    expect((await system.call('POST', '/credits?autoCommit=true', credit)).statusCode).toBeLessThan(300);
    const before = await invoicesOf(parentId);
    expect((await system.call('PUT', `/accounts/${foreignId}/transferCredit`)).statusCode).toBe(400);
    await hearItself();
    expect(await invoicesOf(parentId)).toEqual(before);
    expect(await invoicesOf(foreignId)).toHaveLength(1);
  });
});
