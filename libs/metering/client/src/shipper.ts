import { createBell } from './bell';
import { type Answered, type Api, asError } from './billstream-api';
import type { ShippingOptions } from './options';
import { type RejectedUsage, keepRejects } from './rejects';
import type { Stretch } from './segment';
import type { Spool } from './spool';

export type Sent = { accepted: number; duplicates: number; rejected: number; failures: number };

export type ShipperParts = {
  readonly api: Api;
  readonly spool: Spool;
  readonly directory: string;
  readonly options: Required<ShippingOptions>;
  readonly onRejected: (rejected: RejectedUsage) => void;
  readonly onError: (error: Error) => void;
};

export type Shipper = {
  readonly sent: Readonly<Sent>;
  /** There may be records that were not there before. */
  readonly wake: () => void;
  /** Sends what there is without waiting for more, until that is done or the time is over; says whether it is done. */
  hurry(isDone: () => boolean, withinMs: number): Promise<boolean>;
  stop(): Promise<void>;
};

const path = '/v1/usage/events';

/** Sends the spool, oldest first, one batch after the other, for as long as the client lives. */
export const startShipper = (parts: ShipperParts): Shipper => {
  const { spool, options, onError } = parts;
  const sent: Sent = { accepted: 0, duplicates: 0, rejected: 0, failures: 0 };
  const bells = { grown: createBell(), hurried: createBell(), settled: createBell(), stopped: createBell() };
  let isStopped = false;
  let hurrying = 0;
  const pause = async (ms: number): Promise<void> => {
    if (!isStopped) await bells.stopped.rung({ withinMs: ms });
    if (isStopped) throw new Stopped('the client is closed');
  };
  const deliver = deliverer(parts, sent, pause);

  /** A batch that is not full waits for more, unless somebody waits for it. */
  const full = async (stretch: Stretch): Promise<Stretch> => {
    if (stretch.texts.length >= options.batchMax || hurrying > 0 || options.lingerMs === 0) return stretch;
    await bells.hurried.rung({ withinMs: options.lingerMs });
    return (await spool.next(options.batchMax)) ?? stretch;
  };
  const step = async (): Promise<void> => {
    const grown = bells.grown.rung();
    const stretch = await spool.next(options.batchMax);
    if (stretch === null) return grown;
    const batch = await full(stretch);
    const rejected = await deliver(batch);
    await settle(parts, rejected);
    sent.rejected += rejected.length;
    await spool.done(batch.next);
    bells.settled.ring();
  };
  const run = async (): Promise<void> => {
    for (let failures = 0; !isStopped;)
      try {
        await step();
        failures = 0;
      } catch (error) {
        if (error instanceof Stopped) return;
        // The disk failed: what is kept stays, and is tried again.
        failures += 1;
        quietly(onError, asError(error));
        await pause(waitAfter(failures, options)).catch(() => undefined);
      }
  };
  const running = run();
  return {
    sent,
    wake: bells.grown.ring,
    hurry: async (isDone, withinMs) => {
      const deadline = Date.now() + withinMs;
      hurrying += 1;
      bells.hurried.ring();
      while (!isDone() && !isStopped && Date.now() < deadline)
        await bells.settled.rung({ withinMs: deadline - Date.now(), keepsAlive: true });
      hurrying -= 1;
      return isDone();
    },
    stop: async () => {
      isStopped = true;
      for (const bell of Object.values(bells)) bell.ring();
      await running;
    },
  };
};

class Stopped extends Error {}

/** Rejects are on the disk before their place is given up; whoever listens hears of them after that. */
const settle = async ({ directory, onRejected }: ShipperParts, rejected: readonly RejectedUsage[]): Promise<void> => {
  if (rejected.length === 0) return;
  await keepRejects(directory, rejected);
  for (const one of rejected) quietly(onRejected, one);
};

/** A listener's mistake is not a reason to stop sending. */
const quietly = <Value>(listener: (value: Value) => void, value: Value): void => {
  try {
    listener(value);
  } catch {
    // It was told; what it does with that is its own affair.
  }
};

type Taken = { readonly accepted: number; readonly duplicates: number; readonly rejected: readonly Refusal[] };
type Refusal = { readonly index: number; readonly field: string; readonly code: string; readonly message: string };
type Outcome =
  | { readonly kind: 'TAKEN'; readonly taken: Taken }
  /** The request was refused as a whole: too large, or not understood. */
  | { readonly kind: 'REFUSED'; readonly status: number; readonly body: unknown }
  | { readonly kind: 'FAILED'; readonly error: Error; readonly retryAfterMs: number | null };

const deliverer = (
  { api, options, onError }: ShipperParts,
  sent: Sent,
  pause: (ms: number) => Promise<void>,
): ((stretch: Stretch) => Promise<readonly RejectedUsage[]>) => {
  const post = async (texts: readonly string[]): Promise<Outcome> =>
    outcomeOf(await api.post(path, `[${texts.join(',')}]`, options.timeoutMs), texts.length);

  /** Sends until there is an answer: no failure of the server or of the way to it is a reason to give up a record. */
  const send = async (texts: readonly string[]): Promise<Exclude<Outcome, { kind: 'FAILED' }>> => {
    for (let failures = 1; ; failures += 1) {
      const outcome = await post(texts);
      if (outcome.kind === 'TAKEN') return outcome;
      // A refusal that even an empty batch meets is no fault of a record: wrong settings, or a proxy between.
      if (outcome.kind === 'REFUSED' && (outcome.status === 413 || (await post([])).kind === 'TAKEN')) return outcome;
      sent.failures += 1;
      quietly(onError, errorOf(outcome));
      const askedFor = outcome.kind === 'FAILED' ? outcome.retryAfterMs : null;
      await pause(Math.max(askedFor ?? 0, waitAfter(failures, options)));
    }
  };
  const deliverTexts = async (texts: readonly string[]): Promise<readonly RejectedUsage[]> => {
    if (texts.length === 0) return [];
    const outcome = await send(texts);
    if (outcome.kind === 'TAKEN') {
      sent.accepted += outcome.taken.accepted;
      sent.duplicates += outcome.taken.duplicates;
      return outcome.taken.rejected.map((refusal) => rejectOf(texts[refusal.index] ?? '', refusal));
    }
    if (texts.length === 1) return [rejectOf(texts[0] ?? '', refusalOf(outcome))];
    // One of them spoils the others: halves, until it is alone.
    const middle = Math.ceil(texts.length / 2);
    return [...(await deliverTexts(texts.slice(0, middle))), ...(await deliverTexts(texts.slice(middle)))];
  };
  return async ({ texts, damaged }) => [
    ...damaged.map((line) =>
      rejectOf(line, { index: 0, field: '', code: 'damaged', message: 'the disk did not keep it as it was written' }),
    ),
    ...(await deliverTexts(texts)),
  ];
};

const outcomeOf = (answer: Answered, count: number): Outcome => {
  if (answer.kind === 'FAILED') return { ...answer, retryAfterMs: null };
  const { status, body, retryAfterMs } = answer;
  if (status === 202 && isTaken(body, count)) return { kind: 'TAKEN', taken: body };
  if (status === 400 || status === 413 || status === 422) return { kind: 'REFUSED', status, body };
  return { kind: 'FAILED', error: new Error(`${path} answered ${status}${detailOf(body)}`), retryAfterMs };
};

/** Whatever else answers 202 is not the server that counts: each record must have been told of. */
const isTaken = (body: unknown, count: number): body is Taken => {
  if (typeof body !== 'object' || body === null) return false;
  const { accepted, duplicates, rejected } = body as Partial<Taken>;
  return Array.isArray(rejected) && Number(accepted) + Number(duplicates) + rejected.length === count;
};

const errorOf = (outcome: Exclude<Outcome, { kind: 'TAKEN' }>): Error =>
  outcome.kind === 'FAILED'
    ? outcome.error
    : new Error(`${path} answered ${outcome.status}${detailOf(outcome.body)}, whatever it is sent`);

const detailOf = (body: unknown): string => {
  const detail = typeof body === 'object' && body !== null ? (body as { detail?: unknown }).detail : undefined;
  return typeof detail === 'string' ? `: ${detail}` : '';
};

const refusalOf = ({ status, body }: Extract<Outcome, { kind: 'REFUSED' }>): Refusal => ({
  ...{ index: 0, field: '' },
  code: status === 413 ? 'too-large' : 'refused',
  message: `the server answered ${status}${detailOf(body)}`,
});

const rejectOf = (text: string, { field, code, message }: Refusal): RejectedUsage => ({
  record: code === 'damaged' ? text : (JSON.parse(text) as unknown),
  ...{ field, code, message },
  at: new Date().toISOString(),
});

/** Doubles with each failure; the random half keeps many clients of a server that comes back from coming all at once. */
const waitAfter = (failures: number, { retryMs, retryMaxMs }: Required<ShippingOptions>): number => {
  const most = Math.min(retryMaxMs, retryMs * 2 ** Math.min(failures - 1, 20));
  return most / 2 + (Math.random() * most) / 2;
};
