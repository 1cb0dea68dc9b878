import type { EventStore } from '@billstream/event-sourcing';

/** Usage that the case takes back after it was charged, and where the log stood then. */
export type WithdrawnUsage = { readonly subscriptionId: string; readonly at: string; readonly position: bigint };

type Requested = {
  readonly subscriptionId: string;
  readonly periods: readonly { readonly fromAt: string; readonly toAt: string }[];
};

const requestsAfter = async (store: EventStore, position: bigint): Promise<readonly Requested[]> => {
  const found: Requested[] = [];
  for (let after: bigint | null = position; ;) {
    const page = await store.readAll({ after, prefixes: ['accountInvoices-'], max: 5_000 });
    for (const { type, data } of page.events)
      if (type === 'accountInvoices.usage-requested.v1') found.push(data as Requested);
    if (page.caughtUp) return found;
    after = page.position;
  }
};

/**
 * Recorded usage is a fact that nobody takes back over REST. What the case wants to know is that usage which lies further
 * back than invoices look is not looked at; so no run since may have asked for the period that it belongs to.
 */
export const stillLookedAt = async (store: EventStore, { subscriptionId, at, position }: WithdrawnUsage) =>
  (await requestsAfter(store, position))
    .filter((request) => request.subscriptionId === subscriptionId)
    .flatMap(({ periods }) => periods)
    .filter(({ fromAt, toAt }) => fromAt <= at && at < toAt)
    .map(({ fromAt, toAt }) => `the usage of ${at} was asked for again, from ${fromAt} to ${toAt}`);
