import { overdueCheckKind } from '@billstream/invoicing-read-models';
import { derivedId } from '@billstream/kernel';
import type { DueItem } from '@billstream/postgres';
import type { ServiceRuntime } from '@billstream/service-runtime';
import { invoicingOn } from '../invoicing';
import { scheduledBy } from '../scheduled-by';
import { evaluateOverdue } from './evaluate-overdue';

/** Looks whether an account is overdue when time alone may have made it so; the events of that move the piece of work. */
export const dueOverdueChecks = (runtime: ServiceRuntime) => {
  const invoicing = invoicingOn(runtime);
  return {
    [overdueCheckKind]: async ({ key, tenantId, dueAt, payload }: DueItem): Promise<void> => {
      const cause = scheduledBy(payload);
      const position = await evaluateOverdue(invoicing, key, {
        commandId: derivedId('overdue-check', cause),
        tenantId,
        actor: { createdBy: 'invoicing' },
        correlationId: cause,
        causationId: cause,
        at: dueAt,
      });
      await runtime.visible(position);
    },
  };
};
