import type { CommandContext } from '@billstream/event-sourcing';
import { accountInvoicesStream } from '@billstream/invoicing-domain';
import { invoiceDueKind } from '@billstream/invoicing-read-models';
import { derivedId, notBefore } from '@billstream/kernel';
import type { DueItem } from '@billstream/postgres';
import type { ServiceRuntime } from '@billstream/service-runtime';
import { invoicingOn } from './invoicing';
import { scheduledBy } from './scheduled-by';

const contextFor = ({ tenantId, payload }: DueItem, at: CommandContext['at']): CommandContext => {
  const cause = scheduledBy(payload);
  return {
    commandId: derivedId('invoice-due', cause),
    tenantId,
    actor: { createdBy: 'invoicing' },
    at,
    correlationId: cause,
    causationId: cause,
  };
};

/** Runs the invoice of an account whose day has come; the run's own events move or remove the piece of work. */
export const dueInvoices = (runtime: ServiceRuntime) => {
  const { accountInvoices } = invoicingOn(runtime);
  return {
    [invoiceDueKind]: async (item: DueItem): Promise<void> => {
      const { key, tenantId, dueAt } = item;
      const now = notBefore(dueAt, runtime.clock.now(tenantId));
      const handled = await accountInvoices(
        accountInvoicesStream(key),
        { type: 'InvoiceDue', dueAt, now },
        contextFor(item, now),
      );
      if (handled.outcome !== 'accepted')
        throw new Error(`the invoice of ${key} due at ${dueAt} was not run: ${handled.outcome}`);
      await runtime.visible(handled.position);
    },
  };
};
