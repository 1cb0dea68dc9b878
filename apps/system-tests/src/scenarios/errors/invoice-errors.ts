import { type Case, type Line, ask, charged, done, made, nobody, stage, unpaying } from './stage';

/** Of invoices, credits, refunds and overdue states. */
export const invoiceErrors: readonly Case[] = [
  [
    3,
    400,
    'a credit in another currency',
    () => ask('POST', '/credits', [{ accountId: stage.one.accountId, amount: 1, currency: 'EUR' }]),
  ],
  [
    4005,
    400,
    'an invoice of a day too far',
    () => ask('POST', `/invoices?accountId=${stage.one.accountId}&targetDate=2126-01-01`),
  ],
  [4006, 404, 'an unknown invoice', () => ask('GET', `/invoices/${nobody}`)],
  [4008, 404, 'an unknown credit', () => ask('GET', `/credits/${nobody}`)],
  [4009, 400, 'a credit below zero', () => ask('POST', '/credits', [{ accountId: stage.one.accountId, amount: -1 }])],
  [
    4010,
    400,
    'an adjustment of nothing',
    () =>
      ask('POST', `/invoices/${stage.invoiceId}`, {
        accountId: stage.one.accountId,
        invoiceItemId: stage.itemId,
        amount: 0,
      }),
  ],
  [4011, 404, 'an unknown item', () => ask('GET', `/invoices/byItemId/${nobody}`)],
  [4015, 400, 'a charge below zero', () => ask('POST', `/invoices/charges/${stage.one.accountId}`, [{ amount: -1 }])],
  [4018, 400, 'an unknown invoice number', () => ask('GET', '/invoices/byNumber/999999')],
  [
    4020,
    400,
    'an adjustment above what is left',
    () =>
      ask('POST', `/invoices/${stage.invoiceId}`, {
        accountId: stage.one.accountId,
        invoiceItemId: stage.itemId,
        amount: 1e6,
      }),
  ],
  [4023, 400, 'an invoice committed twice', () => ask('PUT', `/invoices/${stage.invoiceId}/commitInvoice`)],
  [
    4024,
    400,
    'a charge on what is committed',
    () => ask('POST', `/invoices/charges/${stage.one.accountId}`, [{ amount: 1, invoiceId: stage.invoiceId }]),
  ],
  [
    4025,
    400,
    'a refund with adjustments of nothing',
    () => ask('POST', `/invoicePayments/${stage.paymentId}/refunds`, { amount: 1, isAdjusted: true }),
  ],
  [
    4027,
    400,
    'a child without credit',
    async () =>
      ask(
        'PUT',
        `/accounts/${await made('/accounts', { currency: 'USD', parentAccountId: stage.one.accountId })}/transferCredit`,
      ),
  ],
  [4028, 400, 'a paid invoice that is voided', () => ask('PUT', `/invoices/${stage.invoiceId}/voidInvoice`)],
  [
    4031,
    400,
    'an adjustment of a void invoice',
    async () => {
      const of = await unpaying();
      const line = await charged(5, of);
      await done('PUT', `/invoices/${line.invoiceId}/voidInvoice`);
      return ask('POST', `/invoices/${line.invoiceId}`, {
        accountId: of,
        invoiceItemId: line.invoiceItemId,
        amount: 1,
      });
    },
  ],
  [
    4901,
    400,
    'a chargeback above what was paid',
    () => ask('POST', `/invoicePayments/${stage.paymentId}/chargebacks`, { amount: 1e6 }),
  ],
  [
    4906,
    400,
    'a refund above what was paid',
    () => ask('POST', `/invoicePayments/${stage.paymentId}/refunds`, { amount: 1e6 }),
  ],
  [
    4907,
    400,
    'a refund below its adjustments',
    () =>
      ask('POST', `/invoicePayments/${stage.paymentId}/refunds`, {
        amount: 1,
        isAdjusted: true,
        adjustments: [{ invoiceItemId: stage.itemId, amount: 2 }],
      }),
  ],
  [
    5010,
    400,
    'overdue states that are none',
    () => ask('POST', '/overdue/xml', '<overdueConfig><nothing/></overdueConfig>', 'text/xml'),
  ],
  [
    4021,
    400,
    'an adjustment of credit',
    async () => {
      const of = await unpaying();
      const given = await ask('POST', '/credits?autoCommit=true', [{ accountId: of, amount: 5 }]);
      const { invoiceId } = given.json<readonly Line[]>()[0]!;
      const { items } = (await ask('GET', `/invoices/${invoiceId}`)).json<{ items: readonly Line[] }>();
      const invoiceItemId = items.find(({ itemType }) => itemType === 'CBA_ADJ')?.invoiceItemId;
      return ask('POST', `/invoices/${invoiceId}`, { accountId: of, invoiceItemId, amount: 1 });
    },
  ],
  [
    4033,
    400,
    'a void credit that was used',
    async () => {
      const of = await unpaying();
      const given = await ask('POST', '/credits?autoCommit=true', [{ accountId: of, amount: 5 }]);
      await charged(5, of);
      return ask('PUT', `/invoices/${given.json<readonly Line[]>()[0]!.invoiceId}/voidInvoice`);
    },
  ],
];
