import {
  type AccountInvoicesEvent,
  type CommittedInvoice,
  type InvoiceItem,
  accountInvoices,
  accountInvoicesSchema,
  adjustableMinor,
  entriesOf,
  entryOf,
  isTagged,
} from '@billstream/invoicing-domain';
import {
  type AccountTime,
  type Instant,
  type LocalDate,
  decimal,
  epochMs,
  instantOfMs,
  parseCurrency,
  plusMs,
} from '@billstream/kernel';
import {
  type BundleCommand,
  type BundleState,
  type Catalog,
  bundleDecider,
  defaultCatalog,
  evolveBundle,
  timelineOf,
} from '@billstream/subscriptions-domain';
import type { BillingTransition, ResolvedPhase } from '@billstream/subscriptions-contracts';
import { parentId, payingParent } from './paying-parent';
import { type Wish, commandOf, datedAt, hourMs } from './wishes';

export const accountId = 'account-1';
const usd = parseCurrency('USD');

export const bundleIds = ['bundle-1', 'bundle-2'] as const;
/** A bundle has one subscription of its own name, and at most one add-on. */
export const addOnOf = (bundleId: string): string => `${bundleId}-add-on`;
export const subscriptionIds: readonly string[] = bundleIds.flatMap((id) => [id, addOnOf(id)]);

export type CustomerFacts = {
  readonly time: AccountTime;
  readonly billCycleDayLocal: number;
  readonly startsAt: Instant;
  /** Absent: the default one. */
  readonly catalog?: Catalog;
  /** Another account pays for the customer's. */
  readonly hasParent?: boolean;
};

export type RecordedCustomer = NonNullable<ReturnType<Engine['evolve']>['account']>;

/** What decides on invoices; a test that has to find a defect puts one in. */
export type Engine = typeof accountInvoices;
export type Customer = ReturnType<typeof billedCustomer>;

/** Units of `unit` used in an hour; the same ones whoever asks. They come around every five hours. */
const usedIn = (unit: string, hour: number): number => (hour * (unit === 'host' ? 7 : 13)) % 5;
const usedInFive = 10;

/** How many seats are taken on a day of the world. */
const seatsOn = (day: number): number => (day * 7) % 11;

/** What was used from one instant to another, by an hour's whole amount at its beginning; of seats the most of any day. */
export const usedBetween = (unit: string, fromAt: Instant, toAt: Instant): number => {
  const first = Math.ceil(epochMs(fromAt) / hourMs);
  const end = Math.max(first, Math.ceil(epochMs(toAt) / hourMs));
  let used = 0;
  if (unit === 'seats') {
    for (let day = Math.floor(first / 24); day * 24 < end && first < end; day += 1) used = Math.max(used, seatsOn(day));
    return used;
  }
  const left = (end - first) % 5;
  for (let hour = end - left; hour < end; hour += 1) used += usedIn(unit, hour);
  return used + ((end - first - left) / 5) * usedInFive;
};

/**
 * A customer's bundles and invoices in memory, decided by the real deciders: what subscriptions publishes is heard by
 * invoicing and the other way round, usage is answered at once, and what was scheduled happens on the way.
 */
export const billedCustomer = (
  { time, billCycleDayLocal, startsAt, catalog = [defaultCatalog], hasParent = false }: CustomerFacts,
  engine: Engine = accountInvoices,
) => {
  let now = startsAt;
  let invoicing = engine.initial;
  const bundles = new Map<string, BundleState>();
  const events: AccountInvoicesEvent[] = [];
  const planned = new Map<string, readonly ResolvedPhase[]>();
  let wishes = 0;
  let isDatedBack = false;
  /** What invoicing is told later; null: it is told at once. */
  let untold: Parameters<Engine['decide']>[0][] | null = null;
  let isDecidedTogether = false;
  let isOverdue = false;
  /** What was charged by so many events: it is asked for again and again. */
  let knownCharges: { readonly after: number; readonly items: readonly InvoiceItem[] } = { after: 0, items: [] };

  const invoice = (command: Parameters<Engine['decide']>[0]): readonly AccountInvoicesEvent[] => {
    const decision = engine.decide(command, invoicing);
    if ('rejected' in decision) throw new Error(JSON.stringify(decision.rejected));
    invoicing = decision.events.reduce(engine.evolve, invoicing);
    events.push(...decision.events);
    decision.events.forEach(heardByOthers);
    return decision.events;
  };

  const heardByOthers = (event: AccountInvoicesEvent): void => {
    if (event.type === 'ChargedThroughChanged')
      for (const bundleId of bundles.keys())
        toBundle(bundleId, {
          type: 'RecordChargedThrough',
          data: {
            now,
            subscriptions: event.data.through.flatMap(({ chargedThroughDate, subscriptionIds }) =>
              [bundleId, addOnOf(bundleId)]
                .filter((one) => subscriptionIds.includes(one))
                .map((subscriptionId) => ({ subscriptionId, chargedThroughDate })),
            ),
          },
        });
    if (event.type !== 'UsageRequested') return;
    const { requestId, subscriptionId, periods } = event.data;
    const usages = periods.map((period) => {
      // Nobody knows what will be used.
      const quantity = decimal(usedBetween(period.unit, period.fromAt, period.toAt < now ? period.toAt : now));
      return {
        ...period,
        quantity,
        metered: quantity,
        free: decimal(0),
        records: 1,
        syntheticBuckets: 0,
        rule: null,
        countedTo: '0',
      };
    });
    invoice({ type: 'RecordUsage', requestId, subscriptionId, usages, now });
  };

  /** False: the request was refused. */
  const toBundle = (bundleId: string, command: BundleCommand): boolean => {
    const before = bundles.get(bundleId) ?? null;
    const decision = bundleDecider.decide(command, before);
    if ('rejected' in decision) return false;
    bundles.set(bundleId, decision.events.reduce(evolveBundle, before));
    for (const event of decision.events) {
      if (event.type !== 'BillingTimelineChanged') continue;
      const { isFollowed = false, ...timeline } = event.data;
      const known = planned.get(timeline.subscriptionId) ?? [];
      planned.set(timeline.subscriptionId, [...known, ...timeline.transitions.flatMap(({ phase }) => phase ?? [])]);
      const told = { type: 'RecordBillingTimeline', timeline, isFollowed, now } as const;
      if (untold === null) invoice(told);
      else untold.push(told);
    }
    return true;
  };

  const subscriber = () => ({
    accountId,
    currency: usd,
    time,
    billCycleDayLocal: invoicing.account?.billCycleDayLocal ?? billCycleDayLocal,
  });
  const account = {
    accountId,
    externalKey: 'jane',
    currency: usd,
    referenceTime: time.referenceTime,
    timeZone: time.timeZone,
  };
  const payer = hasParent ? { parentAccountId: parentId, isPaymentDelegatedToParent: true } : {};
  invoice({ type: 'RecordAccount', account: { ...account, ...payer, billCycleDayLocal }, now });

  const tell = (bundleId: string, wish: Wish, subscriptionId: string): boolean => {
    // Nobody begins twice under one id.
    if (wish.kind === 'SUBSCRIBE' && planned.has(subscriptionId)) return false;
    wishes += 1;
    const about = { account: subscriber(), catalog, now, bundleId, subscriptionId, name: `wish ${wishes}` };
    return toBundle(bundleId, commandOf(wish, about));
  };

  /** What is wished of the account is told to all bundles. */
  const request = (bundleId: string, wish: Wish, subscriptionId = bundleId): boolean => {
    const isForAll = wish.kind === 'BLOCK' && wish.level === 'ACCOUNT';
    const told = (isForAll ? [...bundles.keys()] : [bundleId]).map((id) => tell(id, wish, subscriptionId));
    const isTaken = told.includes(true);
    const at = datedAt(wish, now);
    if (isTaken && at !== null && at < now) isDatedBack = true;
    return isTaken;
  };

  /** What requests tell invoicing, which it has not heard yet. */
  const toldBy = (requests: () => void): readonly Parameters<Engine['decide']>[0][] => {
    untold = [];
    requests();
    const told = untold;
    untold = null;
    return told;
  };

  const charge = (type: 'CREDIT_ADJ' | 'EXTERNAL_CHARGE', amountMinor: number) => {
    const none = { invoiceId: null, startDate: null, endDate: null, itemDetails: null, linkedItemId: null };
    const unpriced = { quantity: null, rate: null, usageName: null };
    const items = [{ type, amountMinor, description: null, ...none, ...unpriced }];
    invoice({ type: 'AddItems', items, effectiveDate: null, autoCommit: true, now });
  };

  const parent =
    hasParent && usd !== null
      ? payingParent(
          { account: { ...account, billCycleDayLocal }, currency: usd, events, state: () => invoicing, tell: invoice },
          engine,
        )
      : null;

  const settled = (
    invoiceId: string,
    transactionType: 'PURCHASE' | 'REFUND',
    amountMinor: number,
    isAdjusted = false,
  ): void => {
    if (usd === null) return;
    const [paymentId, transactionId] = [`payment ${events.length}`, `transaction ${events.length}`];
    const payment = { accountId, invoiceId, paymentId, transactionId, transactionType, amountMinor, currency: usd };
    const isDone = { status: 'SUCCESS', effectiveAt: now, ...(isAdjusted ? { isAdjusted } : {}) } as const;
    invoice({ type: 'RecordPayment', payment: { ...payment, ...isDone }, now });
  };

  const chargesIn = (all: readonly AccountInvoicesEvent[]): readonly InvoiceItem[] =>
    all.flatMap((event) =>
      (event.type === 'InvoiceCommitted' || event.type === 'InvoiceAdjusted') &&
      entryOf(invoicing.invoices, event.data.invoiceId)?.status !== 'VOID'
        ? event.data.items
        : [],
    );

  return {
    /** Who pays; null: the customer. */
    parent,
    request,
    /** Requests that are all decided before invoicing hears of the first. */
    together: (requests: () => void): void => {
      isDecidedTogether = true;
      toldBy(requests).forEach(invoice);
    },
    /** Whether there were such requests. */
    isDecidedTogether: (): boolean => isDecidedTogether,
    events,
    now: () => now,
    state: () => invoicing,
    /** Those that are not void. */
    invoices: (): readonly CommittedInvoice[] =>
      events.flatMap((event) =>
        event.type === 'InvoiceCommitted' && entryOf(invoicing.invoices, event.data.invoiceId)?.status !== 'VOID'
          ? [event.data]
          : [],
      ),
    timeline: (subscriptionId: string): readonly BillingTransition[] => {
      for (const bundle of bundles.values()) {
        const subscription = bundle?.subscriptions.find((one) => one.subscriptionId === subscriptionId);
        if (bundle !== null && subscription !== undefined) return timelineOf(bundle, subscription);
      }
      return [];
    },
    /** All phases that were ever planned for a subscription. */
    phases: (subscriptionId: string): readonly ResolvedPhase[] => planned.get(subscriptionId) ?? [],
    /** The items of all invoices that are not void, with what was taken back of them since. */
    charges: (): readonly InvoiceItem[] => {
      if (knownCharges.after < events.length) knownCharges = { after: events.length, items: chargesIn(events) };
      return knownCharges.items;
    },
    /** Whether something was taken that holds from an instant before it was asked for. */
    isDatedBack: (): boolean => isDatedBack,
    run: (targetDate: LocalDate | null = null) => invoice({ type: 'Invoice', targetDate, now }),
    charge,
    /** Takes back so many percent of what can be taken back of an item of the newest invoices. */
    adjust: (nth: number, percent: number) => {
      const found = entriesOf(invoicing.invoices).flatMap(([invoiceId, { items }]) =>
        items.map(({ itemId }) => ({
          invoiceId,
          itemId,
          leftMinor: adjustableMinor(invoicing, { invoiceId, itemId }),
        })),
      );
      const open = found.filter(({ leftMinor }) => (leftMinor ?? 0) > 0);
      const { invoiceId, itemId, leftMinor } = open.at(-1 - (nth % Math.max(1, open.length))) ?? {};
      if (invoiceId === undefined || itemId === undefined || leftMinor === undefined) return;
      const amountMinor = Math.max(1, Math.round(((leftMinor ?? 0) * percent) / 100));
      const words = { effectiveDate: null, description: null, itemDetails: null };
      invoice({ type: 'AdjustItem', invoiceId, itemId, amountMinor, ...words, now });
    },
    /** Puts a control tag on, or takes it off where it is on. */
    tag: (objectType: 'ACCOUNT' | 'INVOICE', objectId: string, tag: 'AUTO_INVOICING_OFF' | 'WRITTEN_OFF') => {
      const isSet = !isTagged(invoicing, objectId, tag);
      invoice({ type: 'RecordControlTag', change: { accountId, objectType, objectId, tag, isSet }, now });
    },
    /** Takes the newest invoice out of the books where that may be done, and charges anew what was on it. */
    voidNewest: () => {
      const [invoiceId] = entriesOf(invoicing.invoices).findLast(([, { status }]) => status !== 'VOID') ?? [];
      const command = { type: 'VoidInvoice' as const, invoiceId: invoiceId ?? '', now };
      if ('rejected' in engine.decide(command, invoicing)) return;
      invoice(command);
      invoice({ type: 'Invoice', targetDate: null, now });
    },
    pay: (invoiceId: string, amountMinor: number) => settled(invoiceId, 'PURCHASE', amountMinor),
    /** Gives back so many percent of what was paid for an invoice; `isAdjusted`: and takes it off what the invoice charges. */
    refund: (nth: number, percent: number, isAdjusted: boolean) => {
      const paid = entriesOf(invoicing.invoices).filter(
        ([, { status, paidMinor }]) => status !== 'VOID' && paidMinor > 0,
      );
      const [invoiceId, { paidMinor } = { paidMinor: 0 }] = paid.at(-1 - (nth % Math.max(1, paid.length))) ?? [];
      if (invoiceId === undefined) return;
      settled(invoiceId, 'REFUND', Math.max(1, Math.round((paidMinor * percent) / 100)), isAdjusted);
    },
    isOverdue: () => isOverdue,
    /** The account comes into an overdue state that blocks all it has, or out of it: all bundles hear of it in one change. */
    turnOverdue: () => {
      isOverdue = !isOverdue;
      invoice({ type: 'RecordOverdue', blocksBilling: isOverdue, now });
      const wish: Wish = { kind: 'BLOCK', isBilled: !isOverdue, inHours: 0, level: 'ACCOUNT', service: 'overdue' };
      for (const told of toldBy(() => request(bundleIds[0], wish)))
        invoice(told.type === 'RecordBillingTimeline' ? { ...told, isFollowed: true } : told);
      invoice({ type: 'EndBillingChange', now });
      invoice({ type: 'RecordUnblocked', now });
    },
    /** Time passes; what falls due on the way is done when it does. */
    wait: (hours: number): void => {
      const target = plusMs(now, hours * hourMs);
      for (let dueAt = invoicing.nextAt; dueAt !== null && dueAt <= target; dueAt = invoicing.nextAt) {
        now = instantOfMs(Math.max(epochMs(now), epochMs(dueAt)));
        invoice({ type: 'InvoiceDue', dueAt, now });
        if (invoicing.nextAt === dueAt) throw new Error(`the run of ${dueAt} did not schedule another`);
      }
      now = target;
    },
    /** The state that the stored form of what happened gives. */
    replayed: () =>
      events
        .map((event) => accountInvoicesSchema.encode(event))
        .map(({ type, data }) =>
          accountInvoicesSchema.decode({ type, data: JSON.parse(JSON.stringify(data)) as object }),
        )
        .reduce((state, event) => (event === null ? state : engine.evolve(state, event)), engine.initial),
  };
};
