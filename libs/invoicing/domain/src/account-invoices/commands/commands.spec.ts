import { decimal } from '@billstream/kernel';
import { reusableDraft } from '../invoice-run';
import type { ControlTagChange } from '../account-invoices.events';
import { accountInvoices } from '../account-invoices.decider';
import type { AccountInvoicesCommand } from '../account-invoices.decider';
import { balanceOf } from '../invoice-totals';
import { settingsFrom } from '../invoicing-settings';
import { previewInvoice } from '../preview';
import {
  at,
  currency,
  day,
  lines,
  phase,
  simulatedAccount,
  timeline,
  transition,
} from '../../testing/simulated-account';
import type { AskedItem } from './add-items';
import { namesIn, valuesIn } from '../book';

const nothing = {
  invoiceId: null,
  startDate: null,
  endDate: null,
  description: null,
  itemDetails: null,
  linkedItemId: null,
  quantity: null,
  rate: null,
  usageName: null,
} as const;

const asked = (type: AskedItem['type'], amountMinor: number, more: Partial<AskedItem> = {}): AskedItem => ({
  ...nothing,
  type,
  amountMinor,
  ...more,
});

const now = at('2018-10-06');

const recorded = () => {
  const system = simulatedAccount();
  system.record();
  return system;
};

const started = () => {
  const system = recorded();
  system.subscribe(transition('START', '2018-10-06', phase()));
  return system;
};

type System = ReturnType<typeof simulatedAccount>;

const tag = (system: System, name: ControlTagChange['tag'], isSet = true, objectId = 'account-1') =>
  system.issue({
    type: 'RecordControlTag',
    change: {
      accountId: 'account-1',
      objectType: objectId === 'account-1' ? 'ACCOUNT' : 'INVOICE',
      objectId,
      tag: name,
      isSet,
    },
    now,
  });

const add = (system: System, items: readonly AskedItem[], autoCommit = true) =>
  system.issue({ type: 'AddItems', items, effectiveDate: null, autoCommit, now });

const refusal = (system: System, command: AccountInvoicesCommand): string => {
  const decision = accountInvoices.decide(command, system.state());
  return 'rejected' in decision ? decision.rejected.code : 'accepted';
};

const ids = (system: System): readonly string[] => namesIn(system.state().invoices);
const totals = (system: System, index: number) => {
  const found = valuesIn(system.state().invoices)[index];
  if (found === undefined) throw new RangeError(String(index));
  return found;
};
const itemOf = (system: System, index: number): string => totals(system, index).items[0]?.itemId ?? '';
const types = (events: readonly { readonly type: string }[]): readonly string[] => events.map(({ type }) => type);

describe('an external charge', () => {
  it('is owed at once when it is committed at once', () => {
    const system = recorded();
    const events = add(system, [asked('EXTERNAL_CHARGE', 1000), asked('TAX', 190)]);
    expect(types(events)).toEqual(['InvoiceCommitted', 'BalanceChanged']);
    expect(balanceOf(totals(system, 0))).toBe(1190);
    expect(totals(system, 0).targetDate).toBe('2018-10-06');
  });

  it('is owed only after its draft is committed, and once', () => {
    const system = recorded();
    add(system, [asked('EXTERNAL_CHARGE', 1000)], false);
    expect([totals(system, 0).status, balanceOf(totals(system, 0))]).toEqual(['DRAFT', 0]);
    const [invoiceId = ''] = ids(system);
    expect(types(system.issue({ type: 'CommitDraft', invoiceId, now }))).toEqual(['DraftCommitted', 'BalanceChanged']);
    expect(balanceOf(totals(system, 0))).toBe(1000);
    expect(refusal(system, { type: 'CommitDraft', invoiceId, now })).toBe('invoice-not-draft');
  });

  it('is added to a draft, but not to what is owed already', () => {
    const system = recorded();
    add(system, [asked('EXTERNAL_CHARGE', 1000)], false);
    const [invoiceId = ''] = ids(system);
    add(system, [asked('EXTERNAL_CHARGE', 500, { invoiceId })]);
    expect(totals(system, 0).chargedMinor).toBe(1500);
    system.issue({ type: 'CommitDraft', invoiceId, now });
    const more = [asked('EXTERNAL_CHARGE', 1, { invoiceId })];
    const command = { type: 'AddItems' as const, items: more, effectiveDate: null, autoCommit: true, now };
    expect(refusal(system, command)).toBe('invoice-not-draft');
  });

  it('is no debt when it was brought over from another system', () => {
    const system = recorded();
    const items = [asked('RECURRING', 1000)];
    system.issue({ type: 'AddItems', items, effectiveDate: null, autoCommit: true, isMigration: true, now });
    expect(balanceOf(totals(system, 0))).toBe(0);
    expect(system.state().lastTargetDate).toBeNull();
  });
});

describe('an amount', () => {
  it('that the account’s books could not add up exactly is refused', () => {
    const system = recorded();
    const items = Array.from({ length: 10 }, () => asked('EXTERNAL_CHARGE', 1e15));
    const command = { type: 'AddItems' as const, items, effectiveDate: null, autoCommit: true, now };
    expect(refusal(system, command)).toBe('amount-out-of-range');
    add(system, items.slice(0, 9));
    expect(refusal(system, { ...command, items: items.slice(0, 1) })).toBe('amount-out-of-range');
  });

  it('of usage that no invoice can state parks the account instead of failing it', () => {
    const block = { unit: 'host', size: decimal(1), max: null, price: decimal('0.01') };
    const usage = {
      name: 'host-usage',
      usageType: 'CONSUMABLE',
      billingMode: 'IN_ARREAR',
      billingPeriod: 'MONTHLY',
      tierBlockPolicy: 'ALL_TIERS',
      tiers: [{ blocks: [block], limits: [], recurringPrice: null }],
    } as const;
    const system = simulatedAccount(() => '1000000000000000000');
    system.record();
    system.subscribe(transition('START', '2018-10-06', phase({ usages: [usage] })));
    system.moveTo('2018-11-06');
    expect(system.state().parked).toBe('usage-beyond-all-tiers');
    const types = () => system.events.map(({ type }) => type);
    // Taking the tag off tries again, which cannot succeed while the usage is what it is.
    system.issue({ type: 'RecordUnparked', now: at('2018-11-07') });
    expect(types().slice(types().indexOf('InvoicingUnparked'))).toContain('InvoicingParked');
    // An invoice that is made in spite of it ends it, and that is said once.
    add(system, [asked('EXTERNAL_CHARGE', 500)]);
    expect([system.state().parked, types().filter((type) => type === 'InvoicingUnparked')]).toEqual([
      null,
      ['InvoicingUnparked', 'InvoicingUnparked'],
    ]);
    expect(system.issue({ type: 'RecordUnparked', now: at('2018-11-07') })).toEqual([]);
  });
});

describe('credit that is given', () => {
  it('pays what is owed and keeps the rest', () => {
    const system = started();
    add(system, [asked('CREDIT_ADJ', 5000)]);
    expect(balanceOf(totals(system, 0))).toBe(0);
    expect(system.state().creditMinor).toBe(3000);
    expect(system.invoices()[1]?.amountMinor).toBe(0);
  });

  it('is owed again where it was used when it is deleted, and cannot be deleted twice', () => {
    const system = started();
    add(system, [asked('CREDIT_ADJ', 5000)]);
    const invoiceId = ids(system)[1] ?? '';
    const itemId = totals(system, 1).items.find(({ type }) => type === 'CBA_ADJ')?.itemId ?? '';
    system.issue({ type: 'DeleteCredit', invoiceId, itemId, now });
    expect([balanceOf(totals(system, 0)), balanceOf(totals(system, 1))]).toEqual([2000, 0]);
    expect(system.state().creditMinor).toBe(0);
    expect(refusal(system, { type: 'DeleteCredit', invoiceId, itemId, now })).toBe('credit-not-deletable');
  });

  it('cannot be deleted where the platform made it', () => {
    const system = started();
    const [invoiceId = ''] = ids(system);
    system.pay(invoiceId, 3000);
    const itemId = totals(system, 0).items.find(({ type }) => type === 'CBA_ADJ')?.itemId ?? '';
    expect(refusal(system, { type: 'DeleteCredit', invoiceId, itemId, now })).toBe('credit-not-deletable');
  });
});

describe('an adjustment', () => {
  const adjust = (system: System, amountMinor: number | null): AccountInvoicesCommand => ({
    type: 'AdjustItem',
    invoiceId: ids(system)[0] ?? '',
    itemId: itemOf(system, 0),
    amountMinor,
    effectiveDate: null,
    description: null,
    itemDetails: null,
    now,
  });

  it('takes back no more than is left of an item', () => {
    const system = started();
    expect(refusal(system, adjust(system, 2001))).toBe('adjustment-too-high');
    expect(refusal(system, adjust(system, 0))).toBe('adjustment-not-positive');
    system.issue(adjust(system, 500));
    expect(balanceOf(totals(system, 0))).toBe(1500);
    system.issue(adjust(system, null));
    expect(balanceOf(totals(system, 0))).toBe(0);
    expect(refusal(system, adjust(system, null))).toBe('nothing-to-adjust');
  });

  it('becomes credit where the item was paid, and lowers what a later repair takes back', () => {
    const system = started();
    system.pay(ids(system)[0] ?? '', 2000);
    system.issue(adjust(system, null));
    expect(system.state().creditMinor).toBe(2000);
    system.moveTo('2018-10-20');
    system.subscribe(transition('START', '2018-10-06', phase()), transition('CANCEL', '2018-10-20'));
    expect(lines(system.invoices()[1])).toEqual(['REPAIR_ADJ 2018-10-20→2018-11-06 0.00']);
  });

  const refund = (
    system: System,
    facts: { readonly amountMinor: number; readonly isAdjusted?: boolean; readonly invoiceItemId?: string },
  ) =>
    system.issue({
      type: 'RecordPayment',
      payment: {
        accountId: 'account-1',
        invoiceId: ids(system)[0] ?? '',
        paymentId: 'payment',
        transactionId: `refund of ${String(facts.amountMinor)}`,
        transactionType: 'REFUND',
        status: 'SUCCESS',
        amountMinor: facts.amountMinor,
        currency: currency('USD'),
        effectiveAt: now,
        ...(facts.isAdjusted === undefined ? {} : { isAdjusted: facts.isAdjusted }),
        ...(facts.invoiceItemId === undefined
          ? {}
          : { itemAdjustments: [{ invoiceItemId: facts.invoiceItemId, amountMinor: facts.amountMinor }] }),
      },
      now,
    });

  it('of a refund keeps the invoice balanced; a refund without one makes it due again', () => {
    const system = started();
    system.pay(ids(system)[0] ?? '', 2000);
    refund(system, { amountMinor: 300, isAdjusted: true, invoiceItemId: itemOf(system, 0) });
    expect([balanceOf(totals(system, 0)), system.state().creditMinor]).toEqual([0, 0]);
    refund(system, { amountMinor: 400 });
    expect(balanceOf(totals(system, 0))).toBe(400);
  });

  it('of a refund that names no items takes them in their order, once however often it is told', () => {
    const system = started();
    system.pay(ids(system)[0] ?? '', 2000);
    const first = refund(system, { amountMinor: 700, isAdjusted: true });
    expect(types(first)).toEqual(['PaymentRecorded', 'InvoiceAdjusted', 'BalanceChanged']);
    expect(refund(system, { amountMinor: 700, isAdjusted: true })).toEqual([]);
    expect(totals(system, 0).chargedMinor).toBe(1300);
  });
});

describe('an invoice that is voided', () => {
  it('is owed no more, and what it charged is charged again by the next run', () => {
    const system = started();
    const [invoiceId = ''] = ids(system);
    system.issue({ type: 'VoidInvoice', invoiceId, now });
    expect(balanceOf(totals(system, 0))).toBe(0);
    expect(refusal(system, { type: 'VoidInvoice', invoiceId, now })).toBe('invoice-voided');
    system.invoice();
    expect(lines(system.invoices()[1])).toEqual(['RECURRING 2018-10-06→2018-11-06 20.00']);
  });

  it('must be neither paid nor repaired, nor its credit used', () => {
    const system = started();
    const [invoiceId = ''] = ids(system);
    system.moveTo('2018-10-20');
    system.subscribe(transition('START', '2018-10-06', phase()), transition('CANCEL', '2018-10-20'));
    expect(refusal(system, { type: 'VoidInvoice', invoiceId, now })).toBe('invoice-repaired');
    expect(refusal(system, { type: 'VoidInvoice', invoiceId: ids(system)[1] ?? '', now })).toBe('credit-used');
    const paid = started();
    paid.pay(ids(paid)[0] ?? '', 1);
    expect(refusal(paid, { type: 'VoidInvoice', invoiceId: ids(paid)[0] ?? '', now })).toBe('invoice-paid');
  });
});

describe('control tags', () => {
  it('keep automatic runs off and let them catch up', () => {
    const system = recorded();
    tag(system, 'AUTO_INVOICING_OFF');
    system.subscribe(transition('START', '2018-10-06', phase()));
    expect([system.invoices().length, system.state().nextAt]).toEqual([0, null]);
    tag(system, 'AUTO_INVOICING_OFF', false);
    expect(system.invoices()).toHaveLength(1);
    expect(system.state().nextAt).toBe(at('2018-11-06'));
  });

  it('make runs leave drafts, gather them in one, and commit it', () => {
    const system = recorded();
    tag(system, 'AUTO_INVOICING_DRAFT');
    tag(system, 'AUTO_INVOICING_REUSE_DRAFT');
    const events = system.subscribe(transition('START', '2018-10-06', phase()));
    expect(types(events)).toContain('InvoiceDrafted');
    expect(types(events)).not.toContain('ChargedThroughChanged');
    system.moveTo('2018-11-06');
    expect([ids(system).length, totals(system, 0).items.length, totals(system, 0).status]).toEqual([1, 2, 'DRAFT']);
    expect(reusableDraft(system.state(), 'account-1')).toBe(ids(system)[0]);
    tag(system, 'AUTO_INVOICING_DRAFT', false);
    system.moveTo('2018-12-06');
    expect([ids(system).length, totals(system, 0).items.length, totals(system, 0).status]).toEqual([1, 3, 'COMMITTED']);
    expect(balanceOf(totals(system, 0))).toBe(6000);
    expect(reusableDraft(system.state(), 'account-1')).toBeNull();
  });

  it('write an invoice off, and take that back', () => {
    const system = started();
    const [invoiceId = ''] = ids(system);
    tag(system, 'WRITTEN_OFF', true, invoiceId);
    expect(balanceOf(totals(system, 0))).toBe(0);
    tag(system, 'WRITTEN_OFF', false, invoiceId);
    expect(balanceOf(totals(system, 0))).toBe(2000);
  });
});

describe('a preview', () => {
  it('of a day is that of the last run up to it, and keeps nothing', () => {
    const system = started();
    const preview = (targetDate: string) => {
      const seen = previewInvoice(system.state(), { targetDate: day(targetDate), upcoming: false, now });
      return 'rejected' in seen ? seen.rejected.code : lines(seen.invoice ?? undefined);
    };
    expect(preview('2018-12-10')).toEqual(['RECURRING 2018-12-06→2019-01-06 20.00']);
    expect(preview('2018-10-20')).toEqual([]);
    expect(preview('2022-10-20')).toBe('target-date-too-far');
    expect(system.invoices()).toHaveLength(1);
  });

  it('of a change that nobody made says what it would cost', () => {
    const system = started();
    const dearer = phase({ planName: 'pro-monthly', phaseName: 'pro-monthly-evergreen', price: '50' });
    const planned = timeline([transition('START', '2018-10-06', phase()), transition('CHANGE', '2018-10-20', dearer)]);
    const request = { targetDate: day('2018-10-20'), upcoming: false, now, planned: [planned] };
    const seen = previewInvoice(system.state(), request);
    expect('invoice' in seen ? lines(seen.invoice ?? undefined) : seen).toEqual([
      'RECURRING 2018-10-20→2018-11-06 27.42',
      'REPAIR_ADJ 2018-10-20→2018-11-06 -10.97',
    ]);
  });

  it('of the upcoming invoice takes the day of the next run that makes one', () => {
    const seen = previewInvoice(started().state(), { targetDate: null, upcoming: true, now });
    expect('invoice' in seen && seen.invoice?.targetDate).toBe('2018-11-06');
  });
});

describe('what a tenant has set', () => {
  it('is read by Kill Bill’s names; what makes no sense counts as not set', () => {
    const settings = settingsFrom({
      'org.killbill.invoice.proration.fixed.days': '30',
      'org.killbill.invoice.inArrear.mode': 'greedy',
      'org.killbill.invoice.maxInvoiceLimit': 'P1Y2M10D',
      'killbill.features.invoice.optimization': 'true',
      'org.killbill.invoice.maxNumberOfMonthsInFuture': 'soon',
    });
    expect(settings).toMatchObject({
      fixedDays: 30,
      inArrearMode: 'GREEDY',
      monthsAheadMax: 36,
      lookBack: { months: 14, days: 10 },
    });
  });

  it('makes months as long as it says', () => {
    const settings = settingsFrom({ 'org.killbill.invoice.proration.fixed.days': '30' });
    const system = recorded();
    const started = timeline([transition('START', '2018-10-06', phase(), { billCycleDayLocal: 1 })]);
    system.issue({ type: 'RecordBillingTimeline', timeline: started, now, settings });
    expect(lines(system.invoices()[0])).toEqual(['RECURRING 2018-10-06→2018-11-01 16.67']);
  });
});
