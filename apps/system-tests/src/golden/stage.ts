import type { EventStore } from '@billstream/event-sourcing';
import type { AccountTime } from '@billstream/kernel';
import type { InvoiceJson, PaymentJson } from './answers';
import type { GoldenCatalog, GoldenUsage } from './catalog-document';
import type { Requests } from './requests';
import { type View, viewOf } from './view';
import type { WithdrawnUsage } from './withdrawn-usage';

export type KnownAccount = {
  readonly ref: string;
  readonly accountId: string;
  readonly currency: string;
  readonly time: AccountTime;
};
export type KnownBundle = { readonly bundleId: string; readonly account: string; readonly key: string };
export type KnownSubscription = { readonly subscriptionId: string; readonly account: string };

/** The names of a case and what they stand for on the server, and what the last step left to look at. */
export type Stage = {
  readonly requests: Requests;
  /** For what the API does not show. */
  readonly store: EventStore;
  readonly catalog: GoldenCatalog;
  readonly accounts: Map<string, KnownAccount>;
  readonly bundles: Map<string, KnownBundle>;
  readonly subscriptions: Map<string, KnownSubscription>;
  /** The last preview. */
  preview: InvoiceJson | null;
  /** The invoice that the last run on request made. */
  triggeredInvoiceId: string | null;
  /** The gateway misbehaves until there are more payment transactions than these; null: it behaves as it was last told. */
  misbehavesPast: number | null;
  readonly withdrawn: WithdrawnUsage[];
};

export const newStage = (requests: Requests, store: EventStore, catalog: GoldenCatalog): Stage => ({
  requests,
  store,
  catalog,
  accounts: new Map(),
  bundles: new Map(),
  subscriptions: new Map(),
  preview: null,
  triggeredInvoiceId: null,
  misbehavesPast: null,
  withdrawn: [],
});

const named = <T>(known: ReadonlyMap<string, T>, name: string): T => {
  const found = known.get(name);
  if (found === undefined) throw new Error(`no step has made ${name}`);
  return found;
};

export const accountOf = (stage: Stage, ref = 'a1'): KnownAccount => named(stage.accounts, ref);
export const bundleOf = (stage: Stage, ref: string): KnownBundle => named(stage.bundles, ref);
export const subscriptionOf = (stage: Stage, ref: string): KnownSubscription => named(stage.subscriptions, ref);

/** Everything in a fresh look; what it has asked for once it does not ask for again. */
export const look = (stage: Stage): View => viewOf(stage);

/** `a2.invoice[3]` is `invoice[3]` of the account a2; without an account in front, of the given one. */
export const ownerAndName = (name: string, account = 'a1'): { readonly account: string; readonly name: string } => {
  const owned = /^(a\d+)\.(.+)$/.exec(name);
  return owned === null ? { account, name } : { account: owned[1] ?? '', name: owned[2] ?? '' };
};

const nth = <T>(list: readonly T[], name: string): T => {
  const position = Number(/\[(\d+)\]$/.exec(name)?.[1]);
  const found = list[position - 1];
  if (found === undefined) throw new Error(`there is no ${name}, only ${String(list.length)}`);
  return found;
};

/** `invoice[n]`, `draft`, `triggered` (by the step before) or `oldestUnpaid`. */
export const invoiceNamed = async (stage: Stage, given: string, ref?: string): Promise<InvoiceJson> => {
  const { account, name } = ownerAndName(given, ref);
  const view = look(stage);
  const invoices = await view.invoices(account);
  const found =
    name === 'draft'
      ? invoices.filter(({ status }) => status === 'DRAFT').at(-1)
      : name === 'triggered'
        ? invoices.find(({ invoiceId }) => invoiceId === stage.triggeredInvoiceId)
        : name === 'oldestUnpaid'
          ? (await view.unpaidInvoices(account))[0]
          : nth(invoices, name);
  if (found === undefined) throw new Error(`there is no invoice ${given}`);
  return invoices.find(({ invoiceId }) => invoiceId === found.invoiceId) ?? found;
};

/** `payment[n]` in order of creation. */
export const paymentNamed = async (stage: Stage, given: string, ref?: string): Promise<PaymentJson> => {
  const { account, name } = ownerAndName(given, ref);
  return nth(await look(stage).payments(account), name);
};

/** The newest version that has it: a case may still name what a later version dropped. */
const newest = <T>(
  { catalog }: Stage,
  find: (version: GoldenCatalog['versions'][number]) => T | undefined,
): T | undefined => {
  for (const version of [...catalog.versions].reverse()) {
    const found = find(version);
    if (found !== undefined) return found;
  }
  return undefined;
};

export const categoryOf = (stage: Stage, product: string): string | undefined =>
  newest(stage, ({ products }) => products.find(({ name }) => name === product)?.category);

export const usageNamed = (stage: Stage, usage: string): GoldenUsage | undefined =>
  newest(stage, ({ plans }) =>
    plans
      .flatMap(({ phases }) => phases)
      .flatMap(({ usages = [] }) => usages)
      .find(({ name }) => name === usage),
  );
