import { type RequestContext, commandContext } from '@billstream/http';
import {
  type AccountInvoices,
  type AccountInvoicesCommand,
  type InvoicingSettings,
  type OverdueConfig,
  accountInvoices,
  accountInvoicesSchema,
  accountInvoicesSnapshots,
  accountInvoicesStream,
  overdueConfigDecider,
  overdueConfigSchema,
  overdueDecider,
  overdueSchema,
  tenantInvoicing,
  tenantInvoicingSchema,
} from '@billstream/invoicing-domain';
import { invoicingSettings, overdueConfigsOf } from '@billstream/invoicing-read-models';
import { askTogether } from '@billstream/postgres';
import type { ServiceRuntime } from '@billstream/service-runtime';
import { type CommandContext, currentState } from '@billstream/event-sourcing';

/** The runtime and the command loop of accounts' invoices: all that an endpoint or a reaction needs. */
export const invoicingOn = (runtime: ServiceRuntime) => {
  const handle = runtime.handle(accountInvoices, accountInvoicesSchema, accountInvoicesSnapshots);
  const { database } = runtime;
  // At the end of a month thousands of decisions ask at once what few tenants have set.
  const settingsOf = askTogether<string, InvoicingSettings>((tenantIds) => invoicingSettings(database, tenantIds));
  return {
    runtime,
    /** Decides by what the tenant has set at that moment. */
    accountInvoices: async (stream: string, command: AccountInvoicesCommand, context: CommandContext) =>
      handle(stream, { ...command, settings: await settingsOf(context.tenantId) }, context),
    settingsOf,
    overdueConfigOf: askTogether<string, OverdueConfig | null>((tenantIds) => overdueConfigsOf(database, tenantIds)),
    overdue: runtime.handle(overdueDecider, overdueSchema),
    overdueConfig: runtime.handle(overdueConfigDecider, overdueConfigSchema),
    tenantInvoicing: runtime.handle(tenantInvoicing, tenantInvoicingSchema),
    /** What a decision would see now; for previews, which decide nothing. */
    stateOf: (accountId: string): Promise<AccountInvoices> =>
      currentState(
        {
          store: runtime.store,
          decider: accountInvoices,
          schema: accountInvoicesSchema,
          snapshots: accountInvoicesSnapshots,
        },
        accountInvoicesStream(accountId),
      ),
  };
};

export type Invoicing = ReturnType<typeof invoicingOn>;

/** Injection token of `Invoicing`. */
export const invoicingToken = Symbol('invoicing');

export const contextOf = (request: RequestContext, { runtime }: Invoicing): CommandContext =>
  commandContext(request, runtime.clock);
