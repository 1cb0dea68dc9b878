import { type PublicEvent, oneAtATime } from '@billstream/event-sourcing';
import type { Database } from '@billstream/postgres';
import type { Logger } from 'pino';
import { backOffMs, hasEnded, pause } from './back-off';
import type { DeadLetterNotice, Delivery, Lane, Settle } from './bus';
import { bury, type Death, divert } from './dead-letters';
import { asError, isInfrastructure } from './failures';
import type { FenceTracker } from './fences';
import type { HandledMessage, Inbox, Known } from './inbox';
import type { Outcome, Report } from './measures';
import type { Incoming } from './message';
import { type Persist, persisting, runner, settler } from './settling';

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
  readonly inbox: Inbox;
  /** False exists for the test that shows what the inbox is good for. */
  readonly recogniseRepeats: boolean;
  readonly fences: FenceTracker;
  readonly notice: (deadLetter: DeadLetterNotice) => void;
  readonly report: Report;
  readonly logger: Logger;
};

/** What to write into the inbox before the message is acknowledged; `stopped`: it was not brought to an end. */
type Ended = { readonly row: HandledMessage | null } | 'stopped';

const windowMax = 250;
const drainMs = 5_000;
const recentMax = 4_096;
const noRow: Ended = { row: null };

/** Handles one partition's messages, those of one key one after another; their inbox rows are written beside the handlers that follow. */
export const openLane = <Receipt>(parts: LaneParts, partition: number, settle: Settle<Receipt>): Lane<Receipt> => {
  const { service, inbox } = parts;
  const waiting: Delivery<Receipt>[] = [];
  const recent = recentIds();
  const halted = new AbortController();
  const dropped = new AbortController();
  const persist = persisting(parts.logger, { service, partition });
  const settling = settler({
    inbox: parts.recogniseRepeats ? inbox : null,
    persist,
    settle,
    dropped: dropped.signal,
  });

  const work = async (): Promise<void> => {
    while (waiting.length > 0 && !hasEnded(halted.signal)) {
      const window = waiting.splice(0, windowMax);
      const events = window.flatMap(({ incoming }) => (incoming.kind === 'event' ? [incoming.event] : []));
      const ask = () => inbox.lookUp(events);
      const known = events.length === 0 ? nothingKnown() : await persist('inbox cannot be read', ask, halted.signal);
      if (known === 'stopped') return;
      const handling = { parts, partition, known, recent, signal: halted.signal, persist };
      if ((await handleWindow(handling, window, settling.add)) === 'stopped') return;
    }
  };
  const working = runner(work, () => waiting.length > 0 && !hasEnded(halted.signal));

  return {
    take: (delivery) => {
      if (hasEnded(halted.signal)) return;
      waiting.push(delivery);
      working.start();
    },
    stop: async (how) => {
      halted.abort();
      waiting.length = 0;
      if (how === 'drop') dropped.abort();
      const timer = setTimeout(() => dropped.abort(), drainMs);
      await working.idle();
      await settling.idle();
      clearTimeout(timer);
    },
  };
};

const nothingKnown = (): Known => ({ seen: new Set(), blocked: new Set() });

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
  readonly recent: { has(id: string): boolean; add(id: string): void };
  readonly signal: AbortSignal;
  readonly persist: Persist;
};

/** So many messages of one partition are handled side by side, each of another key. */
const atOnceMax = 32;

/** Handles messages of one key in their order and those of different keys side by side; receipts are settled in order. */
const handleWindow = async <Receipt>(
  handling: Handling,
  window: readonly Delivery<Receipt>[],
  settle: (receipt: Receipt, row: HandledMessage | null) => void,
): Promise<'done' | 'stopped'> => {
  const inTurn = oneAtATime();
  const running: { readonly receipt: Receipt; readonly ended: Promise<Ended> }[] = [];
  const settleFirst = async (): Promise<boolean> => {
    const first = running.shift();
    const ended = (await first?.ended) ?? 'stopped';
    if (first === undefined || ended === 'stopped') return false;
    settle(first.receipt, ended.row);
    return true;
  };
  const settleDownTo = async (left: number): Promise<boolean> => {
    while (running.length > left) if (!(await settleFirst())) return false;
    return true;
  };
  for (const delivery of window) {
    // A fence says that all before it is done.
    const room = delivery.incoming.kind === 'fence' ? 0 : atOnceMax - 1;
    if (hasEnded(handling.signal) || !(await settleDownTo(room))) break;
    const key = delivery.incoming.kind === 'event' ? delivery.incoming.event.key : '';
    const ended = inTurn(key, async () => {
      const one = hasEnded(handling.signal) ? 'stopped' : await handleOne(handling, delivery);
      if (one !== 'stopped' && one.row) handling.recent.add(one.row.messageId);
      return one;
    });
    running.push({ receipt: delivery.receipt, ended });
  }
  if (!hasEnded(handling.signal) && (await settleDownTo(0))) return 'done';
  await Promise.all(running.map(({ ended }) => ended));
  return 'stopped';
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
  const inbox = parts.recogniseRepeats;
  if (inbox && (known.seen.has(event.id) || recent.has(event.id))) return ['duplicate', noRow];
  if (known.blocked.has(event.key)) {
    const behind = () => divert(parts.database, { consumer: parts.service, incoming, inbox, key: event.key });
    const diverted = await persist('dead letter cannot be written', behind, signal);
    if (diverted === 'stopped') return ['behind', 'stopped'];
    if (diverted) return ['behind', noRow];
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
      if (hasEnded(signal)) return 'stopped';
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
  const inbox = parts.recogniseRepeats;
  const buried = await persist(
    'dead letter cannot be written',
    () => bury(parts.database, { consumer: service, incoming, death, inbox }),
    signal,
  );
  if (buried === 'stopped') return ['dead', 'stopped'];
  const { id, type } = incoming.kind === 'event' ? incoming.event : incoming;
  const key = incoming.kind === 'event' ? incoming.event.key : '';
  if (incoming.kind === 'event') known.blocked.add(key);
  const { reason, attempts, error } = death;
  logger.error({ service, messageId: id, type, key, reason, attempts, err: error }, 'message is a dead letter now');
  parts.notice({ service, messageId: id, type, key, reason, attempts, error: error?.message ?? '' });
  // The letter's own transaction has written the inbox row.
  return ['dead', noRow];
};
