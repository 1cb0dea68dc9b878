import type { Account } from 'killbill';
import { refusal } from './client';
import { type Shop, by, uuid } from './shop';

/** Accounts: what a client may ask of them, and what hangs on them. */
export const accounts = (shop: () => Shop): void => {
  it('opens an account and finds it by id, key, list and search', async () => {
    const { kb } = shop();
    const body: Account = { name: 'Ada Lovelace', externalKey: 'ada', email: 'ada@example.com', currency: 'USD' };
    const { data: made, status } = await kb.account.createAccount({ ...body, firstNameLength: 3 }, by);
    expect([status, made]).toEqual([201, expect.objectContaining({ ...body, firstNameLength: 3, accountId: uuid })]);
    const accountId = made.accountId ?? '';
    expect((await kb.account.getAccount(accountId, true, true)).data).toEqual({
      ...made,
      accountBalance: 0,
      accountCBA: 0,
    });
    expect((await kb.account.getAccountByKey('ada')).data).toEqual(made);
    expect((await kb.account.getAccounts(0, 1)).data).toHaveLength(1);
    const found = await kb.account.searchAccounts('Lovelace');
    expect(found.data.map((account) => account.accountId)).toEqual([accountId]);
    expect(found.headers['x-killbill-pagination-totalnbrecords']).toBe('1');
    expect(await refusal(kb.account.createAccount(body, by))).toEqual([409, 3000]);
    expect(await refusal(kb.account.getAccountByKey('nobody'))).toEqual([404, 3003]);
  });

  it('changes what may be changed of an account', async () => {
    const { kb, customer } = shop();
    const { accountId } = await customer({ phone: '1', city: 'Seoul' });
    await kb.account.updateAccount({ name: 'New', phone: '2' }, accountId, by);
    expect((await kb.account.getAccount(accountId)).data).toMatchObject({ name: 'New', phone: '2', city: 'Seoul' });
    expect((await refusal(kb.account.updateAccount({ currency: 'EUR' }, accountId, by)))[0]).toBe(400);
  });

  it('keeps further e-mail addresses', async () => {
    const { kb, customer } = shop();
    const { accountId } = await customer();
    const added = await kb.account.addEmail({ accountId, email: 'billing@example.com' }, accountId, by);
    expect(added.status).toBe(201);
    expect((await kb.account.getEmails(accountId)).data).toEqual([
      expect.objectContaining({ accountId, email: 'billing@example.com' }),
    ]);
    expect((await kb.account.removeEmail(accountId, 'billing@example.com', by)).status).toBe(204);
    expect((await kb.account.getEmails(accountId)).data).toEqual([]);
  });

  it('blocks an account and lists what blocks it', async () => {
    const { kb, customer, rest } = shop();
    const { accountId } = await customer();
    const state = { stateName: 'HOLD', service: 'shop', isBlockChange: true };
    const blocked = await kb.account.addAccountBlockingState(state, accountId, by);
    await rest();
    expect([blocked.status, (await kb.account.getBlockingStates(accountId, ['ACCOUNT'])).data]).toEqual([
      201,
      [expect.objectContaining({ ...state, type: 'ACCOUNT', blockedId: accountId })],
    ]);
  });

  it('shows children, and takes their credit', async () => {
    const { kb, customer, rest } = shop();
    const parent = await customer();
    const child = await customer({ parentAccountId: parent.accountId, isPaymentDelegatedToParent: true });
    const children = (await kb.account.getChildrenAccounts(parent.accountId, true, true)).data;
    expect(children.map(({ accountId }) => accountId)).toEqual([child.accountId]);
    await kb.credit.createCredits([{ accountId: child.accountId, amount: 12.5, invoiceItemId: '' }], by, true);
    await rest();
    expect((await kb.account.transferChildCreditToParent(child.accountId, by)).status).toBe(204);
    await rest();
    const balances = async (id: string) => (await kb.account.getAccount(id, true, true)).data.accountCBA;
    expect([await balances(parent.accountId), await balances(child.accountId)]).toEqual([12.5, 0]);
    expect(await refusal(kb.account.transferChildCreditToParent(parent.accountId, by))).toEqual([400, 3009]);
  });

  it('tells the whole story of an account', async () => {
    const { kb, customer, subscribe } = shop();
    const one = await customer();
    await subscribe(one, 'pistol-monthly-notrial');
    const { data } = await kb.account.getAccountTimeline(one.accountId);
    expect(data.account?.accountId).toBe(one.accountId);
    expect([data.bundles?.length, data.invoices?.length, data.payments?.length]).toEqual([1, 1, 1]);
  });

  it('says who did what', async () => {
    const { kb, customer } = shop();
    const { accountId } = await customer();
    await kb.account.updateAccount({ name: 'Audited' }, accountId, by, false, 'typo', 'asked for by phone');
    const { data: full } = await kb.account.getAccount(accountId, false, false, 'FULL');
    expect(full.auditLogs).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ changeType: 'INSERT', changedBy: by }),
        expect.objectContaining({
          ...{ changeType: 'UPDATE', changedBy: by, reasonCode: 'typo', comments: 'asked for by phone' },
        }),
      ]),
    );
    const { data: logs } = await kb.account.getAccountAuditLogs(accountId);
    expect(logs.map(({ changeType }) => changeType)).toEqual(expect.arrayContaining(['INSERT', 'UPDATE']));
  });

  it('says who did what to everything that an account has, as deep as it is asked', async () => {
    const { kb, customer, subscribe } = shop();
    const one = await customer();
    await subscribe(one, 'pistol-monthly-notrial');
    const { data } = await kb.account.getAccountTimeline(one.accountId, false, 'MINIMAL');
    const [bundle, invoice, payment] = [data.bundles?.[0], data.invoices?.[0], data.payments?.[0]];
    const { data: methods } = await kb.account.getPaymentMethodsForAccount(
      one.accountId,
      false,
      false,
      undefined,
      'FULL',
    );
    const audited = [data.account, bundle, bundle?.subscriptions?.[0], invoice, payment, payment?.transactions?.[0]];
    const types = [...audited, methods[0]].map((object) => object?.auditLogs?.map((log) => log.objectType));
    const kinds = ['ACCOUNT', 'BUNDLE', 'SUBSCRIPTION', 'INVOICE', 'PAYMENT', 'TRANSACTION', 'PAYMENT_METHOD'];
    expect(types).toEqual(kinds.map((kind) => [kind]));
    expect(bundle?.auditLogs).toEqual([expect.objectContaining({ changeType: 'INSERT', changedBy: by })]);
    const { data: whole } = await kb.invoice.getInvoice(invoice?.invoiceId ?? '', false, 'FULL');
    expect(whole.items?.map((item) => item.auditLogs?.map((log) => log.objectType))).toEqual([['INVOICE_ITEM']]);
    expect((await refusal(kb.invoice.getInvoice(invoice?.invoiceId ?? '', false, 'ALL' as never)))[0]).toBe(400);
  });

  it('closes an account', async () => {
    const { kb, customer, subscribe, rest } = shop();
    const one = await customer();
    const { subscriptionId = '' } = await subscribe(one, 'pistol-monthly-notrial');
    expect((await kb.account.closeAccount(one.accountId, by, true, true, false, true)).status).toBe(204);
    await rest();
    const tags = (await kb.account.getAccountTags(one.accountId)).data.map((tag) => tag.tagDefinitionName);
    expect(tags).toContain('AUTO_INVOICING_OFF');
    expect((await kb.subscription.getSubscription(subscriptionId)).data.state).toBe('CANCELLED');
  });
};
