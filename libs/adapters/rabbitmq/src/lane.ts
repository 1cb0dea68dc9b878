import type { PublicEvent } from '@billstream/event-sourcing';
import type { Database } from '@billstream/postgres';
import type { Logger } from 'pino';
import { backOffMs, pause } from './back-off';
import type { DeadLetterNotice, Delivery, Lane, Settle } from './bus';
import { bury, type Death, divert } from './dead-letters';
import { asError, isInfrastructure } from './failures';
import type { FenceTracker } from './fences';
import { type HandledMessage, type Known, lookUp, recordHandled } from './inbox';
import type { Outcome, Report } from './measures';
import type { Incoming } from './message';

/** What a handler may know of the delivery, beside the event. */
export type DeliveryInfo = {
  readonly partition: number;
  /** Counts from 1. */
  readonly attempt: number;
  readonly redelivered: boolean;
  /** An operator sent a dead letter again. */
  readonly resent: boolean;
};

/** What the lanes of one consumer share. */
export type LaneParts = {
  readonly service: string;
  readonly database: Database;
  readonly handles: (type: string) => boolean;
  readonly run: (event: PublicEvent, info: DeliveryInfo) => Promise<void>;
  readonly retryDelaysMs: readonly number[];
  /** `off` exists for the test that shows what the inbox is good for. */
  readonly inbox: 'on' | 'off';
  readonly fences: FenceTracker;
  readonly notice: (deadLetter: DeadLetterNotice) => void;
  readonly report: Report;
  readonly logger: Logger;
};

type Unsettled<Receipt> = { readonly receipt: Receipt; readonly row: HandledMessage | null };

/** What to write into the inbox before the message is acknowledged; `stopped`: it was not brought to an end. */
type Ended = { readonly row: HandledMessage | null } | 'stopped';

const windowMax = 100;
const drainMs = 5_000;
const recentMax = 4_096;
const noRow: Ended = { row: null };

/**
 * Handles one partition's messages one after another. Inbox rows of what has been handled are written beside the next
 * handlers, all that wait in one statement, so that acknowledgements neither wait for a batch nor cost a commit each.
 */
export const openLane = <Receipt>(parts: LaneParts, partition: number, settle: Settle<Receipt>): Lane<Receipt> => {
  const { service, database, logger } = parts;
  const waiting: Delivery<Receipt>[] = [];
  const unsettled: Unsettled<Receipt>[] = [];
  const recent = recentIds();
  const halted = new AbortController();
  const dropped = new AbortController();
  let working: Promise<void> | null = null;
  let flushing: Promise<void> | null = null;

  const persist = async <T>(what: string, work: () => Promise<T>, signal: AbortSignal): Promise<T | 'stopped'> => {
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      try {
        return await work();
      } catch (error) {
        if (attempt === 0) logger.warn({ service, partition, err: error }, what);
        await pause(backOffMs(attempt), signal);
      }
    }
    return 'stopped';
  };

  const flush = async (): Promise<void> => {
    while (unsettled.length > 0) {
      const batch = unsettled.splice(0);
      const rows = batch.flatMap(({ row }) => row ?? []);
      if (parts.inbox === 'on' && rows.length > 0)
        await persist('inbox cannot be written', () => recordHandled(database, service, rows), dropped.signal);
      if (dropped.signal.aborted) return;
      settle(batch.map(({ receipt }) => receipt));
    }
  };

  const startFlush = (): void => {
    flushing ??= flush().finally(() => {
      flushing = null;
      if (unsettled.length > 0 && !dropped.signal.aborted) startFlush();
    });
  };

  const handled = (receipt: Receipt, row: HandledMessage | null): void => {
    if (row) recent.add(row.messageId);
    unsettled.push({ receipt, row });
    startFlush();
  };

  const work = async (): Promise<void> => {
    while (waiting.length > 0 && !halted.signal.aborted) {
      const window = waiting.splice(0, windowMax);
      const events = window.flatMap(({ incoming }) => (incoming.kind === 'event' ? [incoming.event] : []));
      const nothing: Known = { seen: new Set(), blocked: new Set() };
      const known =
        events.length === 0
          ? nothing
          : await persist('inbox cannot be read', () => lookUp(database, service, events), halted.signal);
      if (known === 'stopped') return;
      for (const delivery of window) {
        if (halted.signal.aborted) return;
        const ended = await handleOne({ parts, partition, known, recent, signal: halted.signal, persist }, delivery);
        if (ended === 'stopped') return;
        handled(delivery.receipt, ended.row);
      }
    }
  };

  const start = (): void => {
    working ??= work().finally(() => {
      working = null;
      if (waiting.length > 0 && !halted.signal.aborted) start();
    });
  };

  return {
    take: (delivery) => {
      if (halted.signal.aborted) return;
      waiting.push(delivery);
      start();
    },
    stop: async (how) => {
      halted.abort();
      waiting.length = 0;
      if (how === 'drop') dropped.abort();
      const timer = setTimeout(() => dropped.abort(), drainMs);
      for (let running = working ?? flushing; running; running = working ?? flushing) await running;
      clearTimeout(timer);
    },
  };
};

/** The ids of the last messages: what was handled after the window's look-up was asked is not in its answer. */
const recentIds = () => {
  const ids = new Set<string>();
  return {
    has: (id: string): boolean => ids.has(id),
    add: (id: string): void => {
      ids.add(id);
      if (ids.size <= recentMax) return;
      for (const oldest of ids) {
        ids.delete(oldest);
        break;
      }
    },
  };
};

type Handling = {
  readonly parts: LaneParts;
  readonly partition: number;
  readonly known: Known;
  readonly recent: { has(id: string): boolean };
  readonly signal: AbortSignal;
  readonly persist: <T>(what: string, work: () => Promise<T>, signal: AbortSignal) => Promise<T | 'stopped'>;
};

const handleOne = async (handling: Handling, { incoming, redelivered }: Delivery<unknown>): Promise<Ended> => {
  const { parts, partition } = handling;
  if (incoming.kind === 'fence') {
    parts.fences.passed(partition, incoming.fence);
    return noRow;
  }
  const started = performance.now();
  const [outcome, ended] =
    incoming.kind === 'malformed'
      ? await giveUp(handling, incoming, { reason: 'malformed', attempts: 0, error: new Error(incoming.problem) })
      : await handleEvent(handling, incoming, redelivered);
  if (ended !== 'stopped') {
    const type = incoming.kind === 'event' ? incoming.event.type : 'malformed';
    parts.report({ kind: 'handled', service: parts.service, type, outcome, ms: performance.now() - started });
  }
  return ended;
};

type Result = readonly [Outcome, Ended];
type IncomingEvent = Extract<Incoming, { kind: 'event' }>;

const handleEvent = async (handling: Handling, incoming: IncomingEvent, redelivered: boolean): Promise<Result> => {
  const { parts, known, recent, signal, persist } = handling;
  const { event } = incoming;
  if (!parts.handles(event.type)) return ['ignored', noRow];
  const inbox = parts.inbox === 'on';
  if (inbox && (known.seen.has(event.id) || recent.has(event.id))) return ['duplicate', noRow];
  if (known.blocked.has(event.key)) {
    const behind = () => divert(parts.database, { consumer: parts.service, incoming, inbox, key: event.key });
    const diverted = await persist('dead letter cannot be written', behind, signal);
    if (diverted === 'stopped') return ['behind', 'stopped'];
    if (diverted) return ['behind', { row: { messageId: event.id, position: event.position } }];
    known.blocked.delete(event.key);
  }
  const death = await attempt(handling, event, redelivered);
  if (death === 'stopped') return ['handled', 'stopped'];
  if (death) return giveUp(handling, incoming, death);
  return ['handled', { row: { messageId: event.id, position: event.position } }];
};

/** Runs the handler until it succeeds (null) or has failed too often; what is not the message's fault does not count. */
const attempt = async (
  { parts, partition, signal }: Handling,
  event: PublicEvent,
  redelivered: boolean,
): Promise<Death | 'stopped' | null> => {
  const { service, logger, report, retryDelaysMs } = parts;
  const facts = { service, partition, messageId: event.id, type: event.type, key: event.key };
  let attempts = 1;
  let waits = 0;
  for (;;) {
    try {
      await parts.run(event, { partition, attempt: attempts, redelivered, resent: false });
      return null;
    } catch (thrown) {
      if (signal.aborted) return 'stopped';
      const infrastructure = isInfrastructure(thrown);
      const delay = infrastructure ? backOffMs(waits) : retryDelaysMs[attempts - 1];
      if (delay === undefined) return { reason: 'failed', attempts, error: asError(thrown) };
      if (!infrastructure || waits === 0)
        logger.warn({ ...facts, attempt: attempts, infrastructure, err: thrown }, 'reaction failed, will be retried');
      report({ kind: 'retried', service, type: event.type, cause: infrastructure ? 'infrastructure' : 'failure' });
      if (infrastructure) waits += 1;
      else attempts += 1;
      if (!(await pause(delay, signal))) return 'stopped';
    }
  }
};

const giveUp = async (
  handling: Handling,
  incoming: Exclude<Incoming, { kind: 'fence' }>,
  death: Death,
): Promise<Result> => {
  const { parts, known, signal, persist } = handling;
  const { service, logger } = parts;
  const inbox = parts.inbox === 'on';
  const buried = await persist(
    'dead letter cannot be written',
    () => bury(parts.database, { consumer: service, incoming, death, inbox }),
    signal,
  );
  if (buried === 'stopped') return ['dead', 'stopped'];
  const { id, type, key, position } =
    incoming.kind === 'event' ? incoming.event : { id: incoming.id, type: incoming.type, key: '', position: '0' };
  if (incoming.kind === 'event') known.blocked.add(key);
  const { reason, attempts, error } = death;
  logger.error({ service, messageId: id, type, key, reason, attempts, err: error }, 'message is a dead letter now');
  parts.notice({ service, messageId: id, type, key, reason, attempts, error: error?.message ?? '' });
  return ['dead', { row: { messageId: id, position } }];
};
