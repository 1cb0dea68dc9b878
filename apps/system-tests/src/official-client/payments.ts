import { type PaymentTransaction, PaymentTransactionTransactionTypeEnum as Type } from 'killbill';
import { randomUUID } from 'node:crypto';
import { refusal } from './client';
import { type Customer, type Shop, by, gateway, uuid } from './shop';

/** The parts of seed 000 that move money, and every way to move it without an invoice. */
export const payments = (shop: () => Shop): void => {
  const transaction = (transactionType: Type, amount: number): PaymentTransaction => ({
    ...{ transactionType, amount, currency: 'USD', transactionExternalKey: randomUUID() },
  });
  const paid = async (
    one: Customer,
    type: Type,
    amount: number,
  ): Promise<PaymentTransaction & { paymentId: string }> => {
    const body = transaction(type, amount);
    const { data } = await shop().kb.account.processPayment(
      { ...body, paymentExternalKey: randomUUID() },
      one.accountId,
      by,
    );
    const [made] = data.transactions ?? [];
    return { ...made, paymentId: data.paymentId ?? '', paymentExternalKey: data.paymentExternalKey ?? '' };
  };
  const read = async (paymentId: string) => (await shop().kb.payment.getPayment(paymentId)).data;

  it('authorizes, captures, refunds and voids by id', async () => {
    const { kb, customer } = shop();
    const one = await customer();
    const { paymentId } = await paid(one, Type.Authorize, 50);
    expect((await kb.payment.captureAuthorization(transaction(Type.Capture, 30), paymentId, by)).status).toBe(201);
    expect((await kb.payment.refundPayment(transaction(Type.Refund, 10), paymentId, by)).status).toBe(201);
    expect(await read(paymentId)).toMatchObject({ authAmount: 50, capturedAmount: 30, refundedAmount: 10 });
    const other = await paid(one, Type.Authorize, 5);
    expect((await kb.payment.voidPayment({}, other.paymentId, by)).status).toBe(204);
    expect((await read(other.paymentId)).transactions?.map((each) => each.transactionType)).toEqual([
      'AUTHORIZE',
      'VOID',
    ]);
  });

  it('does the same by external key', async () => {
    const { kb, customer } = shop();
    const one = await customer();
    const [paymentExternalKey, voided] = [randomUUID(), randomUUID()];
    const key = one.externalKey;
    const authorize = { ...transaction(Type.Authorize, 50), paymentExternalKey };
    expect((await kb.account.processPaymentByExternalKey(authorize, key, by)).status).toBe(201);
    const capture = { ...transaction(Type.Capture, 40), paymentExternalKey };
    expect((await kb.payment.captureAuthorizationByExternalKey(capture, by)).status).toBe(201);
    const refund = { ...transaction(Type.Refund, 15), paymentExternalKey };
    expect((await kb.payment.refundPaymentByExternalKey(refund, by)).status).toBe(201);
    const { data } = await kb.payment.getPaymentByExternalKey(paymentExternalKey);
    expect(data).toMatchObject({ authAmount: 50, capturedAmount: 40, refundedAmount: 15 });
    await kb.account.processPaymentByExternalKey(
      { ...transaction(Type.Authorize, 5), paymentExternalKey: voided },
      key,
      by,
    );
    expect((await kb.payment.voidPaymentByExternalKey({ paymentExternalKey: voided }, by)).status).toBe(204);
  });

  it('takes chargebacks and their reversals', async () => {
    const { kb, customer } = shop();
    const one = await customer();
    const { paymentId, paymentExternalKey = '' } = await paid(one, Type.Purchase, 20);
    const back = transaction(Type.Chargeback, 20);
    expect((await kb.payment.chargebackPayment(back, paymentId, by)).status).toBe(201);
    const { transactionExternalKey = '' } = back;
    const reversed = await kb.payment.chargebackReversalPayment({ transactionExternalKey }, paymentId, by);
    expect(reversed.status).toBe(201);
    const again = { ...transaction(Type.Chargeback, 20), paymentExternalKey };
    expect((await kb.payment.chargebackPaymentByExternalKey(again, by)).status).toBe(201);
    const reversal = { paymentExternalKey, transactionExternalKey: again.transactionExternalKey ?? '' };
    expect((await kb.payment.chargebackReversalPaymentByExternalKey(reversal, by)).status).toBe(201);
  });

  it('pays for an account that it makes on the way', async () => {
    const { kb } = shop();
    const externalKey = `combo-${randomUUID()}`;
    const { status, data } = await kb.payment.createComboPayment(
      {
        account: { externalKey, name: 'Combo', currency: 'USD' },
        paymentMethod: { pluginName: gateway, pluginInfo: { properties: [] } },
        transaction: transaction(Type.Purchase, 8),
      },
      by,
    );
    expect([status, data.purchasedAmount]).toEqual([201, 8]);
    expect((await kb.account.getAccountByKey(externalKey)).data.accountId).toBe(data.accountId);
    await shop().rest();
    const { paymentId = '' } = data;
    expect((await kb.payment.createPaymentCustomFields([{ name: 'order', value: '7' }], paymentId, by)).status).toBe(
      201,
    );
  });

  it('finds payments and transactions', async () => {
    const { kb, customer } = shop();
    const one = await customer();
    const { paymentId, transactionId = '', transactionExternalKey = '' } = await paid(one, Type.Purchase, 7);
    const ids = (found: { data: unknown }) => (found.data as { paymentId: string }[]).map((each) => each.paymentId);
    expect(ids(await kb.account.getPaymentsForAccount(one.accountId))).toEqual([paymentId]);
    expect(ids(await kb.payment.getPayments(0, 1))).toHaveLength(1);
    expect(ids(await kb.payment.searchPayments(paymentId))).toEqual([paymentId]);
    const by2 = await Promise.all([
      kb.paymentTransaction.getPaymentByTransactionId(transactionId),
      kb.paymentTransaction.getPaymentByTransactionExternalKey(transactionExternalKey),
    ]);
    expect(by2.map(({ data }) => data.paymentId)).toEqual([paymentId, paymentId]);
  });

  it('is told what became of a transaction that was pending, once', async () => {
    const { kb, api, customer } = shop();
    const one = await customer();
    const answering = (action: string): Promise<unknown> =>
      api.expect(200, 'POST', `/plugins/${gateway}/configure`, { body: { CONFIGURE_ACTION: action } });
    await answering('ACTION_RETURN_PLUGIN_STATUS_PENDING');
    const { paymentId, transactionId = '' } = await paid(one, Type.Purchase, 7);
    await answering('ACTION_CLEAR');
    const tell = () => kb.paymentTransaction.notifyStateChanged({ status: 'SUCCESS' }, transactionId, by);
    expect((await tell()).status).toBe(201);
    expect((await read(paymentId)).transactions?.map(({ status }) => status)).toEqual(['SUCCESS']);
    expect(await refusal(tell())).toEqual([400, 7032]);
  });

  it('refuses to complete or cancel what is not pending', async () => {
    const { kb, customer } = shop();
    const one = await customer();
    const { paymentId, transactionId = '', transactionExternalKey = '' } = await paid(one, Type.Purchase, 7);
    const paymentExternalKey = (await read(paymentId)).paymentExternalKey ?? '';
    const statuses = await Promise.all([
      refusal(kb.payment.completeTransaction({ transactionId }, paymentId, by)),
      refusal(kb.payment.completeTransactionByExternalKey({ paymentExternalKey, transactionId }, by)),
      refusal(kb.payment.cancelScheduledPaymentTransactionById(transactionId, by)),
      refusal(kb.payment.cancelScheduledPaymentTransactionByExternalKey(transactionExternalKey, by)),
    ]);
    expect(statuses.map(([status]) => status)).toEqual([400, 400, 400, 400]);
  });

  it('corrects a payment as an administrator', async () => {
    const { kb, customer } = shop();
    const { paymentId, transactionId = '' } = await paid(await customer(), Type.Purchase, 7);
    const failed = { transactionStatus: 'PAYMENT_FAILURE', currentPaymentStateName: 'PURCHASE_FAILED' };
    await kb.admin.updatePaymentTransactionState(failed, paymentId, transactionId, by);
    expect((await read(paymentId)).transactions?.map(({ status }) => status)).toEqual(['PAYMENT_FAILURE']);
  });
};

/** Payments of invoices. */
export const invoicePayments = (shop: () => Shop): void => {
  it('pays an invoice, and all of them', async () => {
    const { kb, customer, rest, invoices: of } = shop();
    const one = await customer();
    const { accountId } = one;
    await kb.account.createAccountTags(['00000000-0000-0000-0000-000000000001'], accountId, by);
    await rest();
    const charge = { invoiceItemId: '', accountId, amount: 10, currency: 'USD' as never };
    for (const amount of [10, 20, 30])
      await kb.invoice.createExternalCharges([{ ...charge, amount }], accountId, by, undefined, true);
    await rest();
    const invoices = await of(one);
    expect(invoices.map(({ balance }) => balance)).toEqual([10, 20, 30]);
    const invoiceId = invoices[0]?.invoiceId ?? '';
    const body = { accountId, targetInvoiceId: invoiceId, purchasedAmount: 10, currency: 'USD' as never };
    const { status, data } = await kb.invoice.createInstantPayment(body, invoiceId, by);
    await rest();
    expect([status, data]).toEqual([201, expect.objectContaining({ targetInvoiceId: invoiceId, purchasedAmount: 10 })]);
    expect((await kb.invoice.getPaymentsForInvoice(invoiceId)).data).toHaveLength(1);
    const early = await kb.account.payAllInvoices(accountId, by, undefined, true, undefined, '2000-01-01');
    expect(early.status).toBe(204);
    const all = await kb.account.payAllInvoices(accountId, by, undefined, true);
    const others = invoices
      .slice(1)
      .map((invoice) => expect.objectContaining({ invoiceId: invoice.invoiceId }) as object);
    expect([all.status, all.data]).toEqual([201, others]);
    await rest();
    expect((await of(one)).map(({ balance }) => balance)).toEqual([0, 0, 0]);
  });

  it('refunds with an adjustment, charges back and reverses', async () => {
    const { kb, customer, subscribe, rest, invoices: of, payments: paymentsOf } = shop();
    const one = await customer();
    await subscribe(one, 'pistol-monthly-notrial');
    const [[invoice], [payment]] = [await of(one), await paymentsOf(one)];
    const { paymentId = '' } = payment ?? {};
    const adjustments = [
      { invoiceItemId: invoice?.items?.[0]?.invoiceItemId ?? '', accountId: one.accountId, amount: 5 },
    ];
    const refund = { amount: 5, isAdjusted: true, adjustments };
    expect((await kb.invoicePayment.createRefundWithAdjustments(refund, paymentId, by)).status).toBe(201);
    await rest();
    expect((await kb.invoicePayment.getInvoicePayment(paymentId)).data).toMatchObject({ refundedAmount: 5 });
    expect((await of(one))[0]).toMatchObject({ amount: 14.95, balance: 0 });
    await subscribe(one, 'pistol-monthly-notrial');
    const second = (await paymentsOf(one)).at(-1)?.paymentId ?? '';
    const chargeback = { amount: 19.95, currency: 'USD' as never };
    expect((await kb.invoicePayment.createChargeback(chargeback, second, by)).status).toBe(201);
    await rest();
    const { transactions = [] } = (await kb.invoicePayment.getInvoicePayment(second)).data;
    const { transactionExternalKey = '' } = transactions.at(-1) ?? {};
    const reversal = await kb.invoicePayment.createChargebackReversal({ transactionExternalKey }, second, by);
    expect(reversal.status).toBe(201);
    const { transactionId = '' } = transactions[0] ?? {};
    expect((await refusal(kb.invoicePayment.completeInvoicePaymentTransaction({ transactionId }, second, by)))[0]).toBe(
      400,
    );
  });
};

export const paymentMethods = (shop: () => Shop): void => {
  it('adds, lists, prefers, refreshes and removes payment methods', async () => {
    const { kb, customer, rest } = shop();
    const { accountId, paymentMethodId } = await customer();
    const externalKey = `method-${randomUUID()}`;
    const body = { pluginName: gateway, externalKey, pluginInfo: { properties: [] } };
    const { data: added } = await kb.account.createPaymentMethod(body, accountId, by);
    expect(added).toMatchObject({ paymentMethodId: uuid, externalKey, accountId, isDefault: false });
    const id = added.paymentMethodId ?? '';
    const ids = (found: { data: unknown }) =>
      (found.data as { paymentMethodId: string }[]).map((each) => each.paymentMethodId);
    expect(ids(await kb.account.getPaymentMethodsForAccount(accountId)).sort()).toEqual([paymentMethodId, id].sort());
    expect((await kb.paymentMethod.getPaymentMethodByKey(externalKey)).data.paymentMethodId).toBe(id);
    expect(ids(await kb.paymentMethod.getPaymentMethods(0, 1))).toHaveLength(1);
    expect(ids(await kb.paymentMethod.searchPaymentMethods(externalKey))).toEqual([id]);
    expect((await kb.account.setDefaultPaymentMethod(accountId, id, by)).status).toBe(204);
    expect((await kb.paymentMethod.getPaymentMethod(id)).data.isDefault).toBe(true);
    expect((await kb.account.refreshPaymentMethods(accountId, by, gateway)).status).toBe(204);
    expect((await refusal(kb.paymentMethod.deletePaymentMethod(id, by)))[0]).toBeGreaterThanOrEqual(400);
    expect((await kb.paymentMethod.deletePaymentMethod(paymentMethodId, by)).status).toBe(204);
    expect((await kb.paymentMethod.getPaymentMethod(paymentMethodId, true)).data.paymentMethodId).toBe(paymentMethodId);
    expect(await refusal(kb.paymentMethod.getPaymentMethod(paymentMethodId))).toEqual([404, 7000]);
    expect((await kb.paymentMethod.deletePaymentMethod(id, by, true)).status).toBe(204);
    await rest();
    const tags = (await kb.account.getAccountTags(accountId)).data.map((tag) => tag.tagDefinitionName);
    expect(tags).toEqual(['AUTO_PAY_OFF']);
  });

  it("goes seed 000's way with PayPal: settings, consent, agreement, subscription, change of plan", async () => {
    const { kb, api, system, subscribe, invoices: of, rest } = shop();
    const plugin = 'killbill-paypal-express';
    const settings = ':paypal_express:\n  :signature: s\n  :login: l\n  :password: p';
    expect((await kb.tenant.uploadPluginConfiguration(settings, plugin, by)).status).toBe(201);
    const externalKey = `paypal-${randomUUID()}@example.com`;
    const { data } = await kb.account.createAccount(
      { externalKey, email: externalKey, currency: 'USD', locale: 'en_US' },
      by,
    );
    const accountId = data.accountId ?? '';
    const setUp = { kb_account_id: accountId, currency: 'USD', options: { return_url: 'https://shop.example' } };
    const checkout = await api.expect(302, 'POST', `/plugins/${plugin}/1.0/setup-checkout`, { body: setUp });
    const token = new URL(checkout.headers.get('location') ?? '').searchParams.get('token') ?? '';
    await api.expect(200, 'POST', `${system.emulatorUrl}/control/paypal/approve`, { body: { token } });
    const method = { pluginName: plugin, pluginInfo: { properties: [{ key: 'token', value: token }] } };
    const added = (await kb.account.createPaymentMethod(method, accountId, by, true)).data;
    expect([added.isDefault, added.externalKey]).toEqual([true, expect.stringMatching(/^B-/)]);
    const one = { accountId, externalKey, paymentMethodId: added.paymentMethodId ?? '' };
    const page = { formFields: [{ key: 'return_url', value: 'https://shop.example' }] };
    const forms = await Promise.all([
      kb.paymentGateway.buildFormDescriptor(page, accountId, by),
      kb.paymentGateway.buildComboFormDescriptor({ hostedPaymentPageFields: page, account: { externalKey } }, by),
    ]);
    expect(forms.map((form) => [form.status, form.data.kbAccountId])).toEqual([
      [200, accountId],
      [200, accountId],
    ]);
    const { subscriptionId = '' } = await subscribe(one, 'pistol-monthly-notrial');
    const changed = await kb.subscription.changeSubscriptionPlan(
      ...([{ planName: 'shotgun-monthly' } as never, subscriptionId, by, undefined, true, 20] as const),
    );
    await rest();
    expect(changed.status).toBe(204);
    expect((await of(one))[0]).toMatchObject({ amount: 19.95, balance: 0 });
    const [paid] = (await kb.account.getPaymentsForAccount(accountId)).data;
    const told = `payment_status=Completed&invoice=${paid?.paymentId ?? ''}`;
    const taken = await kb.paymentGateway.processNotification(told, plugin, by);
    expect([taken.status, taken.data]).toEqual([200, '']);
  });
};
