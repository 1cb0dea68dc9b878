import {
  type InvoiceItem,
  InvoiceDryRunDryRunTypeEnum as DryRunType,
  InvoiceItemCurrencyEnum as Currency,
} from 'killbill';
import { refusal } from './client';
import { type Shop, by, uuid } from './shop';

/** A line as a client sends it: its id is the server's to give. */
const line = (accountId: string, amount: number, more: Partial<InvoiceItem> = {}): InvoiceItem => ({
  ...{ invoiceItemId: '', accountId, amount, currency: Currency.Usd, description: 'by the client' },
  ...more,
});

const amounts = (items: readonly InvoiceItem[] | undefined): readonly unknown[] =>
  (items ?? []).map(({ itemType, amount }) => [itemType, amount]);

export const invoices = (shop: () => Shop): void => {
  it('finds an invoice by id, number, item, account, list and search', async () => {
    const { kb, customer, subscribe, invoices: of } = shop();
    const one = await customer();
    await subscribe(one, 'pistol-monthly-notrial');
    const [listed] = await of(one);
    const { data: invoice } = await kb.invoice.getInvoice(listed?.invoiceId ?? '');
    expect(invoice).toMatchObject({ accountId: one.accountId, status: 'COMMITTED', amount: 19.95, balance: 0 });
    expect(amounts(invoice.items)).toEqual([['RECURRING', 19.95]]);
    const { invoiceId = '', invoiceNumber = '', items = [] } = invoice;
    const again = await Promise.all([
      // The client believes that a number is one; it is a string here, as in the answers of Kill Bill.
      kb.invoice.getInvoiceByNumber(invoiceNumber as unknown as number),
      kb.invoice.getInvoiceByItemId(items[0]?.invoiceItemId ?? ''),
    ]);
    expect(again.map(({ data }) => data.invoiceId)).toEqual([invoiceId, invoiceId]);
    const ids = (found: { data: unknown }) => (found.data as { invoiceId: string }[]).map((entry) => entry.invoiceId);
    expect(ids(await kb.account.getInvoicesForAccountPaginated(one.accountId, 0, 10))).toEqual([invoiceId]);
    expect(ids(await kb.invoice.getInvoices(0, 1))).toHaveLength(1);
    expect(ids(await kb.invoice.searchInvoices(invoiceId))).toEqual([invoiceId]);
    expect(await refusal(kb.invoice.getInvoiceByNumber(99_999_999))).toEqual([400, 4018]);
  });

  it('runs and previews invoices on request', async () => {
    const { kb, customer, subscribe } = shop();
    const one = await customer();
    await subscribe(one, 'pistol-monthly-notrial');
    const dryRun = { dryRunType: DryRunType.TargetDate };
    const preview = await kb.invoice.generateDryRunInvoice(dryRun, one.accountId, by, '2026-04-01');
    expect(amounts(preview.data.items)).toEqual([['RECURRING', 19.95]]);
    const nothing = await kb.invoice.generateDryRunInvoice(dryRun, one.accountId, by, '2026-03-02');
    expect(nothing.status).toBe(204);
    const made = await kb.invoice.createFutureInvoice(one.accountId, by, '2026-04-01');
    expect([made.status, amounts(made.data.items)]).toEqual([201, [['RECURRING', 19.95]]]);
    expect(await refusal(kb.invoice.createFutureInvoice(one.accountId, by, '2026-04-01'))).toEqual([404, null]);
    const group = await kb.invoice.createFutureInvoiceGroup(one.accountId, by, '2026-05-01');
    expect(group.status).toBe(201);
    const { pathname } = new URL(String(group.headers['location']));
    const groupId = pathname.split('/').at(-2) ?? '';
    const inGroup = await kb.invoice.getInvoicesGroup(groupId, one.accountId);
    expect((inGroup.data as { items: InvoiceItem[] }[]).map(({ items }) => amounts(items))).toEqual([
      [['RECURRING', 19.95]],
    ]);
  });

  it('charges, taxes and credits, and commits or voids the draft', async () => {
    const { kb, customer, rest } = shop();
    const { accountId } = await customer();
    const drafted = await kb.invoice.createExternalCharges([line(accountId, 10)], accountId, by, '2026-03-01', false);
    const [charge] = drafted.data as unknown as readonly InvoiceItem[];
    const draftId = charge?.invoiceId ?? '';
    expect([drafted.status, charge]).toEqual([200, expect.objectContaining({ invoiceItemId: uuid, amount: 10 })]);
    await kb.invoice.createTaxItems([line(accountId, 1, { invoiceId: draftId })], accountId, by, false, '2026-03-01');
    expect((await kb.invoice.getInvoice(draftId)).data).toMatchObject({ status: 'DRAFT', amount: 11 });
    expect((await kb.invoice.commitInvoice(draftId, by)).status).toBe(204);
    await rest();
    expect((await kb.invoice.getInvoice(draftId)).data).toMatchObject({ status: 'COMMITTED', balance: 0 });
    expect(await refusal(kb.invoice.commitInvoice(draftId, by))).toEqual([400, 4023]);

    const other = await kb.invoice.createExternalCharges([line(accountId, 5)], accountId, by, '2026-03-01', false);
    const otherId = (other.data as unknown as readonly InvoiceItem[])[0]?.invoiceId ?? '';
    expect((await kb.invoice.voidInvoice(otherId, by)).status).toBe(204);
    expect((await kb.invoice.getInvoice(otherId)).data.status).toBe('VOID');
  });

  it('gives credit, shows it, and takes it back', async () => {
    const { kb, customer, rest, invoices: of } = shop();
    const one = await customer();
    const credited = await kb.credit.createCredits([line(one.accountId, 30)], by, true);
    await rest();
    const [item] = credited.data as unknown as readonly InvoiceItem[];
    expect((await kb.credit.getCredit(item?.invoiceItemId ?? '')).data).toMatchObject({ accountId: one.accountId });
    expect((await kb.account.getAccount(one.accountId, true, true)).data.accountCBA).toBe(30);
    expect((await kb.account.rebalanceExistingCBAOnAccount(one.accountId, by)).status).toBe(204);
    const [invoice] = await of(one);
    const cba = invoice?.items?.find(({ itemType }) => itemType === 'CBA_ADJ');
    const deleted = await kb.invoice.deleteCBA(
      ...([invoice?.invoiceId ?? '', cba?.invoiceItemId ?? '', one.accountId, by] as const),
    );
    await rest();
    expect(deleted.status).toBe(204);
    expect((await kb.account.getAccount(one.accountId, true, true)).data.accountCBA).toBe(0);
  });

  it('adjusts an item', async () => {
    const { kb, customer, subscribe, rest, invoices: of } = shop();
    const one = await customer();
    await subscribe(one, 'pistol-monthly-notrial');
    const [invoice] = await of(one);
    const { invoiceItemId = '' } = invoice?.items?.[0] ?? {};
    const body = line(one.accountId, 9.95, { invoiceItemId });
    expect((await kb.invoice.adjustInvoiceItem(body, invoice?.invoiceId ?? '', by)).status).toBe(201);
    await rest();
    expect((await kb.account.getAccount(one.accountId, true, true)).data.accountCBA).toBe(9.95);
    expect(
      await refusal(kb.invoice.adjustInvoiceItem({ ...body, amount: 1000 }, invoice?.invoiceId ?? '', by)),
    ).toEqual([400, 4020]);
  });

  it('takes over invoices of another system', async () => {
    const { kb, customer } = shop();
    const { accountId } = await customer();
    const items = [line(accountId, 42, { startDate: '2025-12-01' })];
    const { status, data } = await kb.invoice.createMigrationInvoice(items, accountId, by, '2025-12-01');
    expect([status, data.amount]).toEqual([201, 42]);
    const listed = async (withMigration: boolean) =>
      (await kb.account.getInvoicesForAccount(accountId, undefined, undefined, withMigration)).data.length;
    expect([await listed(false), await listed(true)]).toEqual([0, 1]);
  });

  it('renders an invoice with uploaded templates and words', async () => {
    const { kb, customer, subscribe, invoices: of } = shop();
    const one = await customer({ locale: 'fr_FR' });
    await subscribe(one, 'pistol-monthly-notrial');
    const template = '<p>{{text.invoiceTitle}} {{invoice.invoiceNumber}}</p>';
    await kb.invoice.uploadInvoiceTemplate(template, by, true);
    await kb.invoice.uploadInvoiceMPTemplate(template, by, true);
    await kb.invoice.uploadInvoiceTranslation('invoiceTitle=FACTURE', 'fr_FR', by, true);
    await kb.invoice.uploadCatalogTranslation('pistol-monthly-notrial=Pistolet', 'fr_FR', by, true);
    expect((await kb.invoice.getInvoiceTemplate()).data).toBe(template);
    expect((await kb.invoice.getInvoiceMPTemplate('fr_FR')).data).toBe(template);
    expect((await kb.invoice.getInvoiceTranslation('fr_FR')).data).toContain('FACTURE');
    expect((await kb.invoice.getCatalogTranslation('fr_FR')).data).toContain('Pistolet');
    const [invoice] = await of(one);
    const html = (await kb.invoice.getInvoiceAsHTML(invoice?.invoiceId ?? '')).data;
    expect(html).toContain(`FACTURE ${invoice?.invoiceNumber ?? '?'}`);
  });
};
