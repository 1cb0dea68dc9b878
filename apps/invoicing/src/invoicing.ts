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
import { type Instant, plusMs } from '@billstream/kernel';

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

/** An effect that comes within this time of its cause is taken to come at once. */
const promptMs = 60_000;

/**
 * When something happens that has a cause: with the cause, if it is handled promptly, so that how busy a machine is changes
 * no date; else now. A tenant's clock may be told of a move later than the message of one who knew: time never runs behind
 * what happened.
 */
export const notBefore = (happened: Instant, now: Instant): Instant =>
  now > plusMs(happened, promptMs) ? now : happened;
