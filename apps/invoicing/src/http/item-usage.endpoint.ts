import { ProblemException, type RequestContext, RequestCtx } from '@billstream/http';
import type { InvoiceItem } from '@billstream/invoicing-domain';
import { invoiceById } from '@billstream/invoicing-read-models';
import { parseUuid } from '@billstream/kernel';
import { Controller, Get, Inject, Param } from '@nestjs/common';
import { type Invoicing, invoicingToken } from '../invoicing';
import { lookTwice } from './find-account';

/** A quantity that an item charges, as metering told it; `itemDetails` of a USAGE item holds them. */
type ToldUsage = {
  readonly unit: string;
  readonly usageName: string;
  readonly fromAt: string;
  readonly toAt: string;
  readonly countedTo: string;
};

/**
 * The quantities that a USAGE item charges, by the names under which metering knows what they were made of. The gateway
 * puts that beside them: rules, records, filled hours and free amounts, a page at a time (`unit`, `cursor`, `limit`).
 */
@Controller('v1/invoices/:invoiceId/items/:itemId/usage')
export class ItemUsageEndpoint {
  constructor(@Inject(invoicingToken) private readonly invoicing: Invoicing) {}

  @Get()
  async usage(
    @Param('invoiceId') invoiceText: string,
    @Param('itemId') itemText: string,
    @RequestCtx() { tenantId }: RequestContext,
  ) {
    const [invoiceId, itemId] = [parseUuid(invoiceText), parseUuid(itemText)];
    if (invoiceId === null) throw notFound('invoice', invoiceText);
    const { database } = this.invoicing.runtime;
    const invoice = await lookTwice(this.invoicing, () => invoiceById(database, tenantId, invoiceId));
    if (invoice === null) throw notFound('invoice', invoiceText);
    const item = invoice.items.find((one) => one.itemId === itemId);
    if (item === undefined) throw notFound('item', itemText);
    const { subscriptionId, usageName, startDate, endDate, quantity } = item;
    return {
      ...{ invoiceId, invoiceItemId: item.itemId, accountId: invoice.accountId, subscriptionId },
      ...{ usageName, startDate, endDate, quantity },
      usages: usagesIn(item),
    };
  }
}

const usagesIn = ({ type, itemDetails }: InvoiceItem): readonly ToldUsage[] => {
  const usages = type === 'USAGE' && itemDetails !== null ? toldIn(itemDetails) : null;
  if (usages === null) throw noUsage();
  return usages.map(({ unit, usageName, fromAt, toAt, countedTo }) => ({ unit, usageName, fromAt, toAt, countedTo }));
};

const isTold = (one: unknown): one is ToldUsage => typeof one === 'object' && one !== null && 'countedTo' in one;

/** Null: details that somebody wrote, on an invoice that was brought along, or of before metering told its names. */
const toldIn = (itemDetails: string): readonly ToldUsage[] | null => {
  try {
    const details: unknown = JSON.parse(itemDetails);
    const usage = typeof details === 'object' && details !== null && 'usage' in details ? details.usage : null;
    return Array.isArray(usage) && usage.every(isTold) ? usage : null;
  } catch {
    return null;
  }
};

const notFound = (what: 'invoice' | 'item', id: string): ProblemException =>
  new ProblemException({ status: 404, code: `${what}-not-found`, detail: `There is no ${what} ${id}` });

const noUsage = (): ProblemException =>
  new ProblemException({ status: 404, code: 'no-usage', detail: 'The item charges no metered usage' });
