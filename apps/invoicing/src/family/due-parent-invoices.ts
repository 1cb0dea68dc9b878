import { accountInvoicesStream } from '@billstream/invoicing-domain';
import { parentInvoiceKind } from '@billstream/invoicing-read-models';
import { derivedId, notBefore } from '@billstream/kernel';
import type { DueItem } from '@billstream/postgres';
import type { ServiceRuntime } from '@billstream/service-runtime';
import { invoicingOn } from '../invoicing';
import { scheduledBy } from '../scheduled-by';

const accountIn = (payload: object): string => {
  if ('accountId' in payload && typeof payload.accountId === 'string') return payload.accountId;
  throw new TypeError(`a parent's invoice that is due does not say whose it is: ${JSON.stringify(payload)}`);
};

/** Commits a parent's draft at the end of its day. One that somebody committed or voided before is done already. */
export const dueParentInvoices = (runtime: ServiceRuntime) => {
  const { accountInvoices } = invoicingOn(runtime);
  return {
    [parentInvoiceKind]: async ({ key, tenantId, dueAt, payload }: DueItem): Promise<void> => {
      const cause = scheduledBy(payload);
      const now = notBefore(dueAt, runtime.clock.now(tenantId));
      const handled = await accountInvoices(
        accountInvoicesStream(accountIn(payload)),
        { type: 'CommitDraft', invoiceId: key, now },
        {
          commandId: derivedId('parent-invoice', cause),
          tenantId,
          actor: { createdBy: 'invoicing' },
          at: now,
          correlationId: cause,
          causationId: cause,
        },
      );
      if (handled.outcome === 'rejected' && handled.rejection.code === 'invoice-not-draft') return;
      if (handled.outcome !== 'accepted')
        throw new Error(`the parent invoice ${key} due at ${dueAt} was not committed: ${handled.outcome}`);
      await runtime.visible(handled.position);
    },
  };
};
