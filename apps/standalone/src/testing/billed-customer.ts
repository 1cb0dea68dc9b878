import {
  type AccountInvoicesEvent,
  type CommittedInvoice,
  accountInvoices,
  accountInvoicesSchema,
  entriesOf,
  entryOf,
} from '@billstream/invoicing-domain';
import {
  type AccountTime,
  type Instant,
  type LocalDate,
  decimal,
  epochMs,
  instantOfMs,
  localDateOf,
  parseCurrency,
  plusMs,
} from '@billstream/kernel';
import {
  type BundleCommand,
  type BundleState,
  type PlanSpecifier,
  bundleDecider,
  defaultCatalog,
  evolveBundle,
  timelineOf,
} from '@billstream/subscriptions-domain';
import type { BillingTransition } from '@billstream/subscriptions-contracts';

export const hourMs = 3_600_000;
export const accountId = 'account-1';
const usd = parseCurrency('USD');

/** What a request says of a subscription; everything else follows from the time and the account. */
export type Wish =
  | { readonly kind: 'SUBSCRIBE'; readonly plan: string }
  | { readonly kind: 'CHANGE'; readonly plan: string; readonly policy: 'IMMEDIATE' | 'END_OF_TERM' | null }
  | { readonly kind: 'CANCEL'; readonly policy: 'IMMEDIATE' | 'END_OF_TERM' }
  | { readonly kind: 'UNDO' }
  | { readonly kind: 'BLOCK'; readonly isBilled: boolean; readonly inHours: number }
  | { readonly kind: 'DAY'; readonly billCycleDayLocal: number; readonly inHours: number }
  | { readonly kind: 'QUANTITY'; readonly quantity: number; readonly inHours: number };

export type CustomerFacts = {
  readonly time: AccountTime;
  readonly billCycleDayLocal: number;
  readonly startsAt: Instant;
};

/** What decides on invoices; a test that has to find a defect puts one in. */
export type Engine = typeof accountInvoices;
export type Customer = ReturnType<typeof billedCustomer>;

const noOverrides = { startIn: null, billCycleDayLocal: null, priceOverrides: [] } as const;

/** Units of `unit` used in an hour; the same ones whoever asks. */
export const usedIn = (unit: string, hour: number): number => (hour * (unit === 'host' ? 7 : 13)) % 5;

/** What was used from one instant to another, by an hour's whole amount at its beginning. */
export const usedBetween = (unit: string, fromAt: Instant, toAt: Instant): number => {
  let used = 0;
  for (let hour = Math.ceil(epochMs(fromAt) / hourMs); hour * hourMs < epochMs(toAt); hour += 1)
    used += usedIn(unit, hour);
  return used;
};

/**
 * A customer's bundles and invoices in memory, decided by the real deciders: what subscriptions publishes is heard by
 * invoicing and the other way round, usage is answered at once, and what was scheduled happens on the way.
 */
export const billedCustomer = (
  { time, billCycleDayLocal, startsAt }: CustomerFacts,
  engine: Engine = accountInvoices,
) => {
  let now = startsAt;
  let invoicing = engine.initial;
  const bundles = new Map<string, BundleState>();
  const events: AccountInvoicesEvent[] = [];
  let wishes = 0;

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
              subscriptionIds.includes(bundleId) ? [{ subscriptionId: bundleId, chargedThroughDate }] : [],
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

  /** False: the request was refused. A bundle has one subscription, of its own name. */
  const toBundle = (bundleId: string, command: BundleCommand): boolean => {
    const before = bundles.get(bundleId) ?? null;
    const decision = bundleDecider.decide(command, before);
    if ('rejected' in decision) return false;
    bundles.set(bundleId, decision.events.reduce(evolveBundle, before));
    for (const event of decision.events)
      if (event.type === 'BillingTimelineChanged')
        invoice({ type: 'RecordBillingTimeline', timeline: event.data, now });
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
  invoice({ type: 'RecordAccount', account: { ...account, billCycleDayLocal }, now });

  const request = (bundleId: string, wish: Wish): boolean => {
    wishes += 1;
    const about = { account: subscriber(), catalog: [defaultCatalog], now };
    return toBundle(bundleId, commandOf(bundleId, wish, { ...about, name: `wish ${wishes}` }));
  };

  return {
    request,
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
    timeline: (bundleId: string): readonly BillingTransition[] => {
      const bundle = bundles.get(bundleId) ?? null;
      const subscription = bundle?.subscriptions[0];
      return bundle === null || subscription === undefined ? [] : timelineOf(bundle, subscription);
    },
    run: (targetDate: LocalDate | null = null) => invoice({ type: 'Invoice', targetDate, now }),
    credit: (amountMinor: number) => {
      const none = { invoiceId: null, startDate: null, endDate: null, itemDetails: null, linkedItemId: null };
      const given = { type: 'CREDIT_ADJ' as const, amountMinor, description: null };
      const unpriced = { quantity: null, rate: null, usageName: null };
      const items = [{ ...given, ...none, ...unpriced }];
      invoice({ type: 'AddItems', items, effectiveDate: null, autoCommit: true, now });
    },
    /** Takes the newest invoice out of the books where that may be done, and charges anew what was on it. */
    voidNewest: () => {
      const [invoiceId] = entriesOf(invoicing.invoices).findLast(([, { status }]) => status !== 'VOID') ?? [];
      const command = { type: 'VoidInvoice' as const, invoiceId: invoiceId ?? '', now };
      if ('rejected' in engine.decide(command, invoicing)) return;
      invoice(command);
      invoice({ type: 'Invoice', targetDate: null, now });
    },
    pay: (invoiceId: string, amountMinor: number) => {
      if (usd === null) return;
      const payment = {
        accountId,
        invoiceId,
        paymentId: `payment ${events.length}`,
        transactionId: `transaction ${events.length}`,
      };
      const settled = {
        transactionType: 'PURCHASE',
        status: 'SUCCESS',
        amountMinor,
        currency: usd,
        effectiveAt: now,
      } as const;
      invoice({ type: 'RecordPayment', payment: { ...payment, ...settled }, now });
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

type About = Pick<Extract<BundleCommand, { readonly type: 'ChangePlan' }>['data'], 'account' | 'catalog' | 'now'> & {
  readonly name: string;
};

const commandOf = (subscriptionId: string, wish: Wish, about: About): BundleCommand => {
  const { account, catalog, now, name } = about;
  const effectiveAt = plusMs(now, 'inHours' in wish ? wish.inHours * hourMs : 0);
  switch (wish.kind) {
    case 'SUBSCRIBE': {
      const plan: PlanSpecifier = { planName: wish.plan };
      const subscription = { subscriptionId, externalKey: null, plan, quantity: 1, ...noOverrides };
      const dates = { entitlementAt: null, billingAt: null, migrated: false };
      return {
        type: 'StartSubscriptions',
        data: {
          bundleId: subscriptionId,
          externalKey: null,
          account,
          catalog,
          now,
          ...dates,
          subscriptions: [subscription],
        },
      };
    }
    case 'CHANGE': {
      const plan = { planName: wish.plan };
      const dates = { requestedAt: null, policy: wish.policy };
      return {
        type: 'ChangePlan',
        data: { subscriptionId, changeId: name, plan, ...noOverrides, ...dates, account, catalog, now },
      };
    }
    case 'CANCEL': {
      const end = { policy: wish.policy };
      const ends = { entitlement: end, billing: end };
      return {
        type: 'CancelSubscription',
        data: { subscriptionId, cancellationId: name, ...ends, account, catalog, now },
      };
    }
    case 'UNDO':
      return { type: 'UndoCancellation', data: { subscriptionId, now } };
    case 'BLOCK': {
      const flags = { blockChange: false, blockEntitlement: !wish.isBilled, blockBilling: !wish.isBilled };
      const of = { type: 'SUBSCRIPTION_BUNDLE', blockedId: subscriptionId, service: 'desk' } as const;
      const stateName = wish.isBilled ? 'open' : 'closed';
      return {
        type: 'SetBlockingState',
        data: { now, state: { blockingId: name, ...of, stateName, ...flags, effectiveAt } },
      };
    }
    case 'DAY':
      return {
        type: 'ChangeBillCycleDay',
        data: {
          subscriptionId,
          changeId: name,
          from: localDateOf(effectiveAt, account.time),
          billCycleDayLocal: wish.billCycleDayLocal,
          now,
        },
      };
    case 'QUANTITY':
      return {
        type: 'ChangeQuantity',
        data: { subscriptionId, changeId: name, effectiveAt, quantity: wish.quantity, account, now },
      };
  }
};
