import type { PublicEvent } from '@billstream/event-sourcing';
import type { InvoicingEvent } from '@billstream/invoicing-contracts';
import { bundleStream } from '@billstream/subscriptions-domain';
import { bundleIdsOf } from '@billstream/subscriptions-read-models';
import { Controller, Inject } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { type Subscriptions, subscriptionsToken } from '../subscriptions';
import { contextOf, settled } from './context';

type ChargedThrough = Extract<InvoicingEvent, { readonly type: 'invoicing.charged-through-changed.v1' }>;

@Controller()
export class OnInvoicing {
  constructor(@Inject(subscriptionsToken) private readonly subscriptions: Subscriptions) {}

  /** Policies that wait for the end of a term ask up to where it was charged. */
  @EventPattern('invoicing.charged-through-changed.v1')
  async chargedThroughChanged(
    @Payload() event: PublicEvent<ChargedThrough['type'], ChargedThrough['data']>,
  ): Promise<void> {
    const told = event.data.subscriptions;
    const bundles = await this.bundlesOf(
      event.tenantId,
      told.map(({ subscriptionId }) => subscriptionId),
    );
    for (const bundleId of new Set(bundles.values())) {
      const subscriptions = told.filter(({ subscriptionId }) => bundles.get(subscriptionId) === bundleId);
      const context = contextOf(event, `charged-through/${bundleId}`);
      settled(
        await this.subscriptions.bundle(
          bundleStream(bundleId),
          { type: 'RecordChargedThrough', data: { now: event.at, subscriptions } },
          context,
        ),
      );
    }
  }

  private async bundlesOf(tenantId: string, ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const { runtime } = this.subscriptions;
    const known = await bundleIdsOf(runtime.database, tenantId, ids);
    if (known.size === new Set(ids).size) return known;
    await runtime.caughtUp();
    const again = await bundleIdsOf(runtime.database, tenantId, ids);
    const missing = ids.filter((id) => !again.has(id));
    if (missing.length > 0) throw new Error(`subscriptions that were charged are not known: ${missing.join(', ')}`);
    return again;
  }
}
