import type { RecordedEvent } from '@billstream/event-sourcing';
import { account, at, simulatedAccount } from '../testing/simulated-account';
import type { AccountInvoicesEvent } from './account-invoices.events';
import { accountInvoicesPublication } from './account-invoices.publication';
import { accountInvoicesSchema } from './account-invoices.schema';
import type { AskedItem } from './commands/add-items';

const charge: AskedItem = {
  ...{ type: 'EXTERNAL_CHARGE', amountMinor: 1_000, invoiceId: null, startDate: null, endDate: null },
  ...{ description: null, itemDetails: null, linkedItemId: null, quantity: null, rate: null, usageName: null },
};
const credit: AskedItem = { ...charge, type: 'CREDIT_ADJ', amountMinor: 600 };

/** By what name others hear of an invoice, and which of the account's it is. */
const heard = (events: readonly AccountInvoicesEvent[]): readonly string[] =>
  events
    .flatMap((event) => accountInvoicesPublication(accountInvoicesSchema.encode(event) as RecordedEvent))
    .filter(({ type }) => /invoice-(committed|adjusted)/.test(type))
    .map(({ type, data }) => `${type} ${'invoiceId' in data ? String(data.invoiceId) : ''}`);

const known = () => {
  const system = simulatedAccount();
  system.record(account());
  const add = (items: readonly AskedItem[], autoCommit = true) =>
    system.issue({ type: 'AddItems', items, effectiveDate: null, autoCommit, now: at('2018-10-06') });
  return { system, add, ids: () => system.invoices().map(({ invoiceId }) => invoiceId) };
};

describe('what others hear of an invoice', () => {
  it('that was made and uses credit is that it was made, and no more', () => {
    const { add, ids } = known();
    add([credit]);
    expect(heard(add([charge]))).toEqual([`invoicing.invoice-committed.v1 ${ids()[1]}`]);
  });

  it('that waited as a draft and uses credit is that it was made, and no more', () => {
    const { system, add } = known();
    add([credit]);
    const [draft] = add([charge], false).flatMap((event) => (event.type === 'InvoiceDrafted' ? [event.data] : []));
    const { invoiceId } = draft!;
    const events = system.issue({ type: 'CommitDraft', invoiceId, now: at('2018-10-06') });
    expect(events.map(({ type }) => type)).toContain('CreditApplied');
    expect(heard(events)).toEqual([`invoicing.invoice-committed.v1 ${invoiceId}`]);
  });

  it('that was there before, and uses the credit that a new one makes, is that it changed', () => {
    const { add, ids } = known();
    add([charge]);
    const events = add([credit]);
    expect(heard(events)).toEqual([
      `invoicing.invoice-committed.v1 ${ids()[1]}`,
      `invoicing.invoice-adjusted.v1 ${ids()[0]}`,
    ]);
  });
});
