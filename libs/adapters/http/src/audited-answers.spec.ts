import type { AuditRecord } from './audit-logs';
import { auditedAnswer } from './audited-answers';

const record = (objectType: string, objectId: string, changeType: string): AuditRecord => ({
  ...{ objectType, objectId, changeType, changedAt: '2026-03-01T00:00:00.000Z', changedBy: 'ada' },
  ...{ reason: null, comment: null, userToken: 'token', history: { secret: 1 } },
});

const kinds = [
  ['blockedId', null],
  ['invoiceItemId', 'INVOICE_ITEM'],
  ['invoiceId', 'INVOICE'],
] as const;

const invoice = {
  invoiceId: 'i1',
  amount: 5,
  items: [{ invoiceItemId: 't1', invoiceId: 'i1', linked: null, auditLogs: [] }],
  auditLogs: [],
};

describe('audit logs in an answer', () => {
  const records = [
    record('INVOICE', 'i1', 'INSERT'),
    record('INVOICE', 'i1', 'UPDATE'),
    record('INVOICE_ITEM', 't1', 'INSERT'),
    // Another kind of object with the same id.
    record('PAYMENT', 'i1', 'INSERT'),
  ];
  const looked: (readonly string[])[] = [];
  const look = (ids: readonly string[]) => {
    looked.push(ids);
    return Promise.resolve(records);
  };
  beforeEach(() => looked.splice(0));

  it('are filled in at every depth, looked for once, the inner object’s own kind first', async () => {
    const answer = await auditedAnswer([invoice, invoice], 'FULL', { kinds, look });
    const types = (logs: readonly { objectType: string; changeType: string }[]) =>
      logs.map(({ objectType, changeType }) => `${objectType} ${changeType}`);
    const [first] = answer as [{ amount: number; auditLogs: never[]; items: { auditLogs: never[] }[] }];
    expect([first.amount, types(first.auditLogs), types(first.items[0]?.auditLogs ?? [])]).toEqual([
      5,
      ['INVOICE INSERT', 'INVOICE UPDATE'],
      ['INVOICE_ITEM INSERT'],
    ]);
    expect(looked).toEqual([['i1', 't1']]);
    expect(JSON.stringify(answer)).not.toContain('secret');
  });

  it('are those of making it for MINIMAL, and none for NONE, without a look', async () => {
    const minimal = (await auditedAnswer(invoice, 'MINIMAL', { kinds, look })) as { auditLogs: readonly object[] };
    expect(minimal.auditLogs).toEqual([expect.objectContaining({ changeType: 'INSERT', changedBy: 'ada' })]);
    looked.splice(0);
    expect([await auditedAnswer(invoice, 'NONE', { kinds, look }), looked]).toEqual([invoice, []]);
  });

  it('leave alone what has no history, and what is no object', async () => {
    const state = { blockedId: 'b', invoiceId: 'i1', auditLogs: [] };
    expect(await auditedAnswer([state, 'text', null], 'FULL', { kinds, look })).toEqual([state, 'text', null]);
    expect(looked).toEqual([]);
  });
});
