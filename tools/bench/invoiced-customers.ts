import type { EventStore, StoredEvent } from '@billstream/event-sourcing';
import {
  type AccountInvoicesEvent,
  accountInvoices,
  accountInvoicesSchema,
  accountInvoicesStream,
} from '@billstream/invoicing-domain';
import { type Instant, decimal, derivedId, instantOfMs, parseCurrency } from '@billstream/kernel';
import { invoicePayments, invoicePaymentsSchema, invoicePaymentsStream } from '@billstream/payments-domain';
import type { ResolvedPhase } from '@billstream/subscriptions-contracts';
import { type Chunk, type Subject, appendMonths, writer } from './writer';

const begin = Date.UTC(2024, 0, 1);
const dayMs = 86_400_000;
const usd = parseCurrency('USD');
if (usd === null) throw new Error('there is no USD');

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
  recurring: { price: decimal(20), billingPeriod: 'MONTHLY' },
  recurringBillingMode: 'IN_ADVANCE',
  usages: [],
  billingAlignment: 'ACCOUNT',
  catalogEffectiveDate: instantOfMs(begin),
};

type Invoice = Extract<AccountInvoicesEvent, { readonly type: 'InvoiceCommitted' }>['data'];

const invoiceAmong = (events: readonly StoredEvent[]): Invoice => {
  for (const stored of events) {
    const event = accountInvoicesSchema.decode(stored);
    if (event?.type === 'InvoiceCommitted') return event.data;
  }
  throw new Error('no invoice was made');
};

/** What payments records of an invoice: an attempt at once, which succeeds, and the balance that invoicing then tells. */
const paid = ({ invoiceId, ...invoice }: Invoice, now: Instant) => {
  const toPayments = writer(invoicePaymentsStream(invoiceId), invoicePayments, invoicePaymentsSchema);
  const { accountId, invoiceNumber, invoiceDate, currency, amountMinor, balanceMinor } = invoice;
  const committed = { invoiceId, accountId, invoiceNumber, invoiceDate, currency, amountMinor, balanceMinor, asOf: 1 };
  const method = { paymentMethodId: derivedId(accountId, 'method'), pluginName: 'bench', credential: 'B-1' };
  const data = { invoice: committed, method, isDelegatedToParent: false, isManualPay: false, now };
  const requested = toPayments({ type: 'RecordInvoice', data }, now);
  const { open } = toPayments.state();
  if (open === null) throw new Error('no payment was asked for');
  const { paymentId, transactionId } = open;
  const holder = derivedId(transactionId, 'holder');
  const outcome = {
    ...{ kind: 'succeeded' as const, gatewayRef: derivedId(transactionId, 'reference'), amountMinor, currency },
    ...{ feeMinor: null, movedAt: now, isAdopted: false },
  };
  const events = [
    ...requested,
    ...toPayments(
      { type: 'DispatchPayment', data: { transactionId, holder, after: null, dispatchedAt: now, now } },
      now,
    ),
    ...toPayments({ type: 'RecordOutcome', data: { transactionId, holder, outcome, now } }, now),
    ...toPayments({ type: 'RecordBalance', data: { balanceMinor: 0, asOf: 2, purchasedMinor: amountMinor } }, now),
  ];
  return { events, paymentId, transactionId };
};

/** One customer of invoicing and payments: an invoice each month, charged and paid. */
const customer = (seed: number, number: number): Subject => {
  const id = (name: string): string => derivedId(String(seed), String(number), name);
  const accountId = id('account');
  const subscriptionId = id('subscription');
  const startsAt = instantOfMs(begin + (number % 28) * dayMs);
  const stream = accountInvoicesStream(accountId);
  const toInvoices = writer(stream, accountInvoices, accountInvoicesSchema);

  const joins = (): readonly Chunk[] => {
    const account = {
      ...{ accountId, externalKey: `customer-${seed}-${number}`, currency: usd, timeZone: 'Etc/UTC' },
      ...{ referenceTime: startsAt, billCycleDayLocal: 1 + (number % 28) },
    };
    const start = { transitionId: id('start'), kind: 'START', effectiveAt: startsAt, phase } as const;
    const timeline = {
      ...{ accountId, bundleId: id('bundle'), bundleExternalKey: id('bundle') },
      ...{ subscriptionId, externalKey: subscriptionId, productCategory: 'BASE' as const },
      transitions: [{ ...start, quantity: 1, billCycleDayLocal: null }],
      ...{ firstBillableAt: startsAt, bundleFirstBillableAt: startsAt },
    };
    return [
      {
        stream,
        events: [
          ...toInvoices({ type: 'RecordAccount', account, now: startsAt }, startsAt),
          ...toInvoices({ type: 'RecordBillingTimeline', timeline, now: startsAt }, startsAt),
        ],
      },
    ];
  };

  const month = (): readonly Chunk[] => {
    const dueAt = toInvoices.state().nextAt;
    if (dueAt === null) throw new Error('no invoice is due');
    const committed = toInvoices({ type: 'InvoiceDue', dueAt, now: dueAt }, dueAt);
    const invoice = invoiceAmong(committed);
    const { invoiceId, amountMinor, currency } = invoice;
    const { events, paymentId, transactionId } = paid(invoice, dueAt);
    const payment = {
      ...{ accountId, invoiceId, paymentId, transactionId, transactionType: 'PURCHASE' as const },
      ...{ status: 'SUCCESS' as const, amountMinor, currency, effectiveAt: dueAt },
    };
    const heard = toInvoices({ type: 'RecordPayment', payment, now: dueAt }, dueAt);
    return [
      { stream, events: [...committed, ...heard] },
      { stream: invoicePaymentsStream(invoiceId), events },
    ];
  };
  return { joins, month };
};

const months = 4;

/** Fills the log with customers until it holds so many events of invoicing and payments. */
export const seedInvoicedCustomers = async (
  store: EventStore,
  seed: number,
  eventsMin: number,
): Promise<{ readonly invoicing: number; readonly payments: number }> => {
  const sample = customer(seed, 0);
  const perCustomer = eventsOf(sample.joins()) + months * eventsOf(sample.month(0));
  const customers = Array.from({ length: Math.ceil(eventsMin / perCustomer) }, (_, number) =>
    customer(seed, number + 1),
  );
  const written = await appendMonths(store, months, customers);
  return { invoicing: written.get('accountInvoices') ?? 0, payments: written.get('invoicePayments') ?? 0 };
};

const eventsOf = (chunks: readonly Chunk[]): number => chunks.reduce((sum, { events }) => sum + events.length, 0);
