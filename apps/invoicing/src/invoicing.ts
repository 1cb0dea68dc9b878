import { type RequestContext, commandContext } from '@billstream/http';
import {
  type AccountInvoices,
  accountInvoices,
  accountInvoicesSchema,
  accountInvoicesStream,
  overdueConfigDecider,
  overdueConfigSchema,
  overdueDecider,
  overdueSchema,
} from '@billstream/invoicing-domain';
import type { ServiceRuntime } from '@billstream/service-runtime';
import type { CommandContext } from '@billstream/event-sourcing';
import type { Instant } from '@billstream/kernel';

/** The runtime and the command loop of accounts' invoices: all that an endpoint or a reaction needs. */
export const invoicingOn = (runtime: ServiceRuntime) => ({
  runtime,
  accountInvoices: runtime.handle(accountInvoices, accountInvoicesSchema),
  overdue: runtime.handle(overdueDecider, overdueSchema),
  overdueConfig: runtime.handle(overdueConfigDecider, overdueConfigSchema),
  /** What a decision would see now; for previews, which decide nothing. */
  stateOf: async (accountId: string): Promise<AccountInvoices> => {
    const recorded = await runtime.store.read(accountInvoicesStream(accountId));
    return recorded.reduce((state, one) => {
      const event = accountInvoicesSchema.decode(one);
      return event === null ? state : accountInvoices.evolve(state, event);
    }, accountInvoices.initial);
  },
});

export type Invoicing = ReturnType<typeof invoicingOn>;

/** Injection token of `Invoicing`. */
export const invoicingToken = Symbol('invoicing');

export const contextOf = (request: RequestContext, { runtime }: Invoicing): CommandContext =>
  commandContext(request, runtime.clock);

/** A tenant's clock may be told of a move later than the message of one who knew: time never runs behind what happened. */
export const notBefore = (happened: Instant, now: Instant): Instant => (now > happened ? now : happened);
