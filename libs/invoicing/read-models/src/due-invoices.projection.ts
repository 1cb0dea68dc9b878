import type { RecordedEvent } from '@billstream/event-sourcing';
import {
  type AccountInvoicesEvent,
  accountInvoicesSchema,
  accountInvoicesStreams,
  overdueSchema,
  overdueStreams,
} from '@billstream/invoicing-domain';
import { type Instant, type LocalDate, plusDays } from '@billstream/kernel';
import { type DueItem, type ReadModel, dueWorkDdl, schedule, unschedule } from '@billstream/postgres';

/** The kind of due work that runs an account's next invoice; its key is the account id. */
export const invoiceDueKind = 'invoice';
/** The kind of due work that commits a parent's draft at the end of its day; its key is the invoice id. */
export const parentInvoiceKind = 'parent-invoice';
/** The kind of due work that looks whether an account is overdue; its key is the account id. */
export const overdueCheckKind = 'overdue-check';

/**
 * When each account is to be invoiced next, and when to look whether it is overdue. A run that waits for usage is not due:
 * the answer carries it on.
 */
export const dueInvoicesReadModel: ReadModel = {
  name: 'due-invoices',
  tables: ['due_work'],
  ddl: dueWorkDdl,
  prefixes: [accountInvoicesStreams, overdueStreams],
  apply: async (tx, events) => {
    const next = nextOf(events);
    await schedule(
      tx,
      next.flatMap(({ item }) => (item === null ? [] : [item])),
    );
    await unschedule(
      tx,
      next.flatMap(({ kind, key, item }) => (item === null ? [{ kind, key }] : [])),
    );
  },
};

type Next = { readonly kind: string; readonly key: string; readonly item: DueItem | null };

/** What the last event of each account and kind in the batch leaves standing. */
const nextOf = (events: readonly RecordedEvent[]): readonly Next[] => {
  const next = new Map<string, Next>();
  for (const recorded of events) {
    const told = toldBy(recorded);
    if (told === null) continue;
    const { kind, key, at } = told;
    next.set(`${kind} ${key}`, { kind, key, item: at === null ? null : itemOf(told, at, recorded) });
  }
  return [...next.values()];
};

type Told = {
  readonly kind: string;
  readonly key: string;
  readonly at: Instant | null;
  /** Where the key is not the account. */
  readonly accountId?: string;
};

/** Null: the event says nothing about what is due. */
const toldBy = (recorded: RecordedEvent): Told | null => {
  if (recorded.stream.startsWith(overdueStreams)) {
    const event = overdueSchema.decode(recorded);
    return event?.type === 'OverdueCheckScheduled'
      ? { kind: overdueCheckKind, key: event.data.accountId, at: event.data.at }
      : null;
  }
  const event = accountInvoicesSchema.decode(recorded);
  if (event === null) return null;
  const at = dueAfter(event);
  return at === undefined ? ofParentInvoice(event, recorded) : { kind: invoiceDueKind, key: event.data.accountId, at };
};

/**
 * A draft that sums up children gathers what comes on its day, and is owed when the day (UTC) is over. Kill Bill names the
 * last millisecond of it, which its clock of whole seconds reaches at midnight (2.14).
 */
const ofParentInvoice = ({ type, data }: AccountInvoicesEvent, { metadata }: RecordedEvent): Told | null => {
  if (type === 'InvoiceDrafted' && data.isParentInvoice === true)
    return {
      kind: parentInvoiceKind,
      key: data.invoiceId,
      at: `${plusDays(metadata.at.slice(0, 10) as LocalDate, 1)}T00:00:00.000Z` as Instant,
      accountId: data.accountId,
    };
  return (type === 'DraftCommitted' && data.isParentInvoice === true) || type === 'InvoiceVoided'
    ? { kind: parentInvoiceKind, key: data.invoiceId, at: null }
    : null;
};

/** Null: nothing is due after the event; undefined: it says nothing about that. */
const dueAfter = ({ type, data }: AccountInvoicesEvent): Instant | null | undefined => {
  if (type === 'NextInvoiceScheduled') return data.at;
  return type === 'UsageRequested' || type === 'InvoiceAwaited' || type === 'InvoicingParked' ? null : undefined;
};

/** The event that scheduled it makes the command's id: the same instant scheduled again is another piece of work. */
const itemOf = ({ kind, key, accountId }: Told, dueAt: Instant, { metadata, id }: RecordedEvent): DueItem => ({
  tenantId: metadata.tenantId,
  kind,
  key,
  dueAt,
  payload: { scheduledBy: id, ...(accountId === undefined ? {} : { accountId }) },
});
