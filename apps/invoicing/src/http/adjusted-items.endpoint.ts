import { type RequestContext, RequestCtx } from '@billstream/http';
import { type AccountInvoices, adjustableMinor } from '@billstream/invoicing-domain';
import { placesOfItems } from '@billstream/invoicing-read-models';
import { parseUuid } from '@billstream/kernel';
import { Body, Controller, HttpCode, Inject, Post } from '@nestjs/common';
import { type Invoicing, invoicingToken } from '../invoicing';

/** What payments gets to know of an item that a refund names. Minor units; 0: it cannot be adjusted. */
type AdjustedItem = { readonly invoiceItemId: string; readonly invoiceId: string; readonly leftMinor: number };

/** Whatever else is wrong with the body is payments' to say. */
const itemIdsIn = (body: object): readonly string[] => {
  const adjustments: unknown = 'adjustments' in body ? body.adjustments : null;
  if (!Array.isArray(adjustments)) return [];
  const ids = adjustments.slice(0, 1_000).map((one: unknown) => {
    const id: unknown = typeof one === 'object' && one !== null && 'invoiceItemId' in one ? one.invoiceItemId : null;
    return typeof id === 'string' ? parseUuid(id) : null;
  });
  return [...new Set(ids.filter((id) => id !== null))];
};

/**
 * The first half of a refund that lowers items: which of them there are, and what is left of each. The gateway asks for
 * it and hands the answer to payments, which refuses what cannot be or gives the money back.
 */
@Controller('1.0/kb/internal/invoicePayments')
export class AdjustedItemsEndpoint {
  constructor(@Inject(invoicingToken) private readonly invoicing: Invoicing) {}

  @Post(':paymentId/refunds')
  @HttpCode(200)
  async adjustedItems(@Body() body: unknown, @RequestCtx() context: RequestContext): Promise<unknown> {
    // A text, say, goes on as it came: payments refuses it.
    if (body !== undefined && (typeof body !== 'object' || body === null)) return body;
    const itemIds = itemIdsIn(body ?? {});
    const adjustedItems = itemIds.length === 0 ? [] : await this.itemsOf(itemIds, context);
    return { ...body, adjustedItems };
  }

  private async itemsOf(itemIds: readonly string[], { tenantId }: RequestContext): Promise<readonly AdjustedItem[]> {
    const { invoicing } = this;
    await invoicing.runtime.caughtUp();
    const places = await placesOfItems(invoicing.runtime.database, tenantId, itemIds);
    const states = new Map<string, AccountInvoices>();
    for (const { accountId } of places)
      if (!states.has(accountId)) states.set(accountId, await invoicing.stateOf(accountId));
    return places.flatMap(({ itemId, invoiceId, accountId }) => {
      const state = states.get(accountId);
      const leftMinor = state === undefined ? null : adjustableMinor(state, { invoiceId, itemId });
      return leftMinor === null ? [] : [{ invoiceItemId: itemId, invoiceId, leftMinor }];
    });
  }
}
