import { type RequestContext, commandContext } from '@billstream/http';
import {
  type AccountInvoices,
  type AccountInvoicesCommand,
  type AccountInvoicesEvent,
  type AccountInvoicesRejection,
  type InvoicingSettings,
  type OverdueConfig,
  accountInvoices,
  accountInvoicesSchema,
  accountInvoicesSnapshots,
  accountInvoicesStream,
  furtherCommands,
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
import type { CommandContext, Handled } from '@billstream/event-sourcing';
import { derivedId } from '@billstream/kernel';

/** The runtime and the command loop of accounts' invoices: all that an endpoint or a reaction needs. */
export const invoicingOn = (runtime: ServiceRuntime) => {
  const handle = runtime.handle(accountInvoices, accountInvoicesSchema, accountInvoicesSnapshots);
  const { database } = runtime;
  // At the end of a month thousands of decisions ask at once what few tenants have set.
  const settingsOf = askTogether<string, InvoicingSettings>((tenantIds) => invoicingSettings(database, tenantIds));
  return {
    runtime,
    /** Decides by what the tenant has set at that moment, in as many decisions as it takes. */
    accountInvoices: async (stream: string, command: AccountInvoicesCommand, context: CommandContext) => {
      const settings = await settingsOf(context.tenantId);
      return decidedInFull(command, context, (one, its) => handle(stream, { ...one, settings }, its));
    },
    settingsOf,
    overdueConfigOf: askTogether<string, OverdueConfig | null>((tenantIds) => overdueConfigsOf(database, tenantIds)),
    overdue: runtime.handle(overdueDecider, overdueSchema),
    overdueConfig: runtime.handle(overdueConfigDecider, overdueConfigSchema),
    tenantInvoicing: runtime.handle(tenantInvoicing, tenantInvoicingSchema),
    /** What a decision would see now; for who looks and decides nothing. */
    stateOf: (accountId: string): Promise<AccountInvoices> => handle.stateOf(accountInvoicesStream(accountId)),
  };
};

type Decided = Handled<AccountInvoicesEvent, AccountInvoices, AccountInvoicesRejection>;

/** The command and those that go on where it touched more than fits into one decision, as if they were one. */
const decidedInFull = async (
  command: AccountInvoicesCommand,
  context: CommandContext,
  handle: (command: AccountInvoicesCommand, context: CommandContext) => Promise<Decided>,
): Promise<Decided> => {
  const first = await handle(command, context);
  if (first.outcome !== 'accepted') return first;
  let whole: typeof first = first;
  const further = [...furtherCommands(command, whole.events)];
  for (let part = 1; ; part += 1) {
    const next = further.shift();
    if (next === undefined) return whole;
    const handled = await handle(next, { ...context, commandId: derivedId(context.commandId, 'part', String(part)) });
    if (handled.outcome !== 'accepted') return whole;
    further.unshift(...furtherCommands(next, handled.events));
    const position = handled.position ?? whole.position;
    whole = { ...handled, events: [...whole.events, ...handled.events], position, repeated: first.repeated };
  }
};

export type Invoicing = ReturnType<typeof invoicingOn>;

/** Injection token of `Invoicing`. */
export const invoicingToken = Symbol('invoicing');

export const contextOf = (request: RequestContext, { runtime }: Invoicing): CommandContext =>
  commandContext(request, runtime.clock);
