import { type AllStreamSubscription, type EventStoreDBClient, START, streamNameFilter } from '@eventstore/db-client';
import type { RecordedEvent, SubscriptionPage } from '@billstream/event-sourcing';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { recordedEvent } from './recorded';

/** What the server said between two events: how far it has looked, or (without a position) that it reached the end. */
type Mark = { readonly afterEvents: number; readonly position?: bigint };

/** A page ends where its events come to so much, estimated in characters; an event alone may be more. */
const pageWeightMax = 8_000_000;

/** History is collected into pages for at most so long, or until none has come for so long. */
const collectMsMax = 250;
const silenceMs = 3;

export type ReceptionOptions = {
  readonly after: bigint | null;
  readonly prefixes: readonly string[];
  readonly pageSize: number;
};

/**
 * One subscription call to the server. Events are taken from it as they arrive, up to two pages, in number or weight, ahead of the reader;
 * beyond that the call is paused, and HTTP/2 passes the pressure on. The client announces marks before it hands over
 * the events that were sent ahead of them, so a mark waits for those.
 */
export class Reception {
  private readonly call: AllStreamSubscription;
  private readonly events: RecordedEvent[] = [];
  private readonly weights: number[] = [];
  private weight = 0;
  private readonly marks: Mark[] = [];
  private arrived = 0;
  private announced = 0;
  private position: bigint;
  private isLive = false;
  private hasNews = false;
  private failure: { readonly cause: unknown } | undefined;
  private wake: (() => void) | undefined;

  constructor(
    client: EventStoreDBClient,
    private readonly options: ReceptionOptions,
  ) {
    const { after, prefixes, pageSize } = options;
    this.position = after ?? -1n;
    const filter = streamNameFilter({
      prefixes: [...prefixes],
      checkpointReached: (_, reached) => {
        this.mark(reached.commit);
        return Promise.resolve();
      },
    });
    const fromPosition = this.position < 0n ? START : { commit: this.position, prepare: this.position };
    this.call = client.subscribeToAll({ fromPosition, filter }, { highWaterMark: pageSize });
    this.listen();
  }

  /** What has arrived, at most a page; waits while nothing has. Rejects once the call has failed and all is taken. */
  async next(): Promise<SubscriptionPage> {
    while (!this.hasNews) {
      if (this.failure) throw this.failure.cause;
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
      // What the socket brought with it is taken too: one page instead of many of one event.
      await nextTurn();
    }
    await this.fillPage();
    const events = this.takePage();
    const isAll = this.events.length === 0;
    this.hasNews = !isAll;
    if (!this.hasPage()) this.call.resume();
    return {
      events,
      position: isAll ? this.position : (events.at(-1)?.position ?? this.position),
      caughtUp: this.isLive && isAll,
    };
  }

  /**
   * History comes in many small pieces, and whoever applies it pays for each page: so it is collected until the page is
   * full, the end is reached, or nothing more has come for some milliseconds. Live events never wait.
   */
  private async fillPage(): Promise<void> {
    const end = performance.now() + collectMsMax;
    for (let heard = -1; heard !== this.announced && this.isCollecting() && performance.now() < end;) {
      heard = this.announced;
      await sleep(silenceMs);
    }
  }

  private isCollecting(): boolean {
    return !this.isLive && this.failure === undefined && !this.hasPage();
  }

  /** So many whole pages are waiting, in number or in weight. */
  private hasPage(count = 1): boolean {
    return this.events.length >= count * this.options.pageSize || this.weight >= count * pageWeightMax;
  }

  private takePage(): RecordedEvent[] {
    let count = 0;
    let weight = 0;
    for (const own of this.weights) {
      if (count === this.options.pageSize || (count > 0 && weight + own > pageWeightMax)) break;
      count += 1;
      weight += own;
    }
    this.weights.splice(0, count);
    this.weight -= weight;
    return this.events.splice(0, count);
  }

  async stop(): Promise<void> {
    this.fail(new Error('the subscription was stopped'));
    // A call that never got a connection cannot be cancelled, and need not be.
    await this.call.unsubscribe().catch(() => undefined);
  }

  private listen(): void {
    this.call.on('data', (resolved) => {
      this.arrived += 1;
      const event = recordedEvent(resolved);
      if (event) {
        this.events.push(event);
        this.weights.push(weightOf(event.data));
        this.weight += this.weights.at(-1) ?? 0;
        this.position = event.position;
      }
      this.applyMarks();
      if (this.hasPage(2)) this.call.pause();
      this.announce();
    });
    this.call.on('caughtUp', () => {
      this.mark();
    });
    this.call.on('error', (error) => {
      this.fail(error);
    });
    this.call.on('end', () => {
      this.fail(new Error('the server ended the subscription'));
    });
    this.call.on('close', () => {
      this.fail(new Error('the subscription was closed'));
    });
  }

  private mark(position?: bigint): void {
    const afterEvents = this.arrived + this.call.readableLength;
    this.marks.push(position === undefined ? { afterEvents } : { afterEvents, position });
    this.applyMarks();
  }

  private applyMarks(): void {
    for (let mark = this.marks[0]; mark && mark.afterEvents <= this.arrived; mark = this.marks[0]) {
      this.marks.shift();
      if (mark.position === undefined) this.isLive = true;
      else if (mark.position > this.position) this.position = mark.position;
      this.announce();
    }
  }

  private announce(): void {
    this.announced += 1;
    this.hasNews = true;
    this.wakeUp();
  }

  private fail(cause: unknown): void {
    this.failure ??= { cause };
    this.wakeUp();
  }

  private wakeUp(): void {
    this.wake?.();
    this.wake = undefined;
  }
}

/** Characters of a JSON value, about: elements of an array are taken to be as large as its first, so that it costs little. */
const weightOf = (value: unknown): number => {
  if (typeof value === 'string') return value.length + 2;
  if (typeof value !== 'object' || value === null) return 8;
  if (Array.isArray(value)) return value.length * weightOf(value[0]);
  let weight = 2;
  for (const [key, inner] of Object.entries(value)) weight += key.length + weightOf(inner);
  return weight;
};
