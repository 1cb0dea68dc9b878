import type { PublicEvent } from '@billstream/event-sourcing';
import type { Database } from '@billstream/postgres';
import { BaseRpcContext, type CustomTransportStrategy, Server } from '@nestjs/microservices';
import type { Logger } from 'pino';
import { isObservable, lastValueFrom } from 'rxjs';
import { pause } from './back-off';
import type { Bus, Consumer } from './bus';
import { type FencesPassed, fenceTracker, hasPassed } from './fences';
import { openInbox, pruneInbox } from './inbox';
import { type DeliveryInfo, openLane } from './lane';
import { type Report, unreported } from './measures';
import { resendLoop } from './resend-loop';

export type BusServerParts = {
  readonly bus: Bus;
  /** Name of the consumer: of its queues and of its rows in the inbox. */
  readonly service: string;
  readonly hears: readonly string[];
  /** In the service's own schema, where `busDdl` has been run. */
  readonly database: Database;
  readonly logger: Logger;
  readonly report?: Report;
  /** Pauses before the second, third, … attempt; after the last one the message is a dead letter. */
  readonly retryDelaysMs?: readonly number[];
  /** `off` exists for the test that shows what the inbox is good for. */
  readonly inbox?: 'on' | 'off';
  readonly resendEveryMs?: number;
  /** Wrapped around each handler, e.g. to put the correlation id into the log's context. */
  readonly around?: (event: PublicEvent, info: DeliveryInfo, work: () => Promise<void>) => Promise<void>;
};

const retryDelaysDefault = [100, 500, 2_000, 5_000, 10_000];
const pruneEveryMs = 3_600_000;

/** Second parameter (`@Ctx()`) of a reaction. */
export class ReactionContext extends BaseRpcContext<[event: PublicEvent, info: DeliveryInfo]> {
  get info(): DeliveryInfo {
    return this.args[1];
  }
}

/**
 * Hosts `@EventPattern('<context>.<event>.v1')` methods on the bus. A message is done with once its handler, and what
 * that returned, has ended and the inbox has its id.
 */
export class BusServer extends Server implements CustomTransportStrategy {
  override readonly transportId = Symbol('billstream bus');
  private readonly fences = fenceTracker();
  private readonly stopping = new AbortController();
  private background: readonly Promise<void>[] = [];
  private consumer: Consumer | null = null;

  constructor(private readonly parts: BusServerParts) {
    super();
  }

  listen(callback: () => void): void {
    const { bus, service, hears, database, logger, report = unreported } = this.parts;
    const lanes = {
      service,
      database,
      logger,
      report,
      fences: this.fences,
      handles: (type: string) => this.messageHandlers.has(type),
      run: (event: PublicEvent, info: DeliveryInfo) => this.run(event, info),
      retryDelaysMs: this.parts.retryDelaysMs ?? retryDelaysDefault,
      inbox: openInbox(database, service),
      recogniseRepeats: this.parts.inbox !== 'off',
      notice: bus.notice,
    };
    this.consumer = bus.consume({ service, hears, open: (partition, settle) => openLane(lanes, partition, settle) });
    this.consumer.ready.catch(() => undefined);
    const again = { partition: -1, attempt: 1, redelivered: true, resent: true };
    this.background = [
      resendLoop({
        service,
        database,
        logger,
        report,
        everyMs: this.parts.resendEveryMs ?? 1_000,
        signal: this.stopping.signal,
        handle: (event) => this.run(event, again),
      }),
      this.prune(),
    ];
    // A service without its broker still takes commands, so the start does not wait for the subscriptions.
    callback();
  }

  async close(): Promise<void> {
    this.stopping.abort();
    await Promise.all([this.consumer?.close(), ...this.background]);
  }

  /** Resolves once all partitions are subscribed for the first time. */
  async ready(): Promise<void> {
    await this.consumer?.ready;
  }

  /** How many of the bus's partitions are subscribed now; fewer than all is worth an alarm after a minute. */
  subscribed(): number {
    return this.consumer?.subscribed() ?? 0;
  }

  /** Highest fence met by source context and partition; of this process alone. */
  fencesPassed(): FencesPassed {
    return this.fences.positions();
  }

  /** True when everything that `context` published before the fence at `position` has been handled here. */
  hasPassed(context: string, position: bigint): boolean {
    return hasPassed(this.fences.positions(), { context, position, partitions: this.parts.bus.partitions });
  }

  on(): never {
    throw new Error('This transport has no events of its own: see BusServerParts.report');
  }

  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- the signature is Nest's
  unwrap<T>(): T {
    throw new Error('This transport has no server to unwrap');
  }

  private async run(event: PublicEvent, info: DeliveryInfo): Promise<void> {
    const work = async (): Promise<void> => {
      // Not `getHandlerByPattern`: it first tries every pattern as JSON, which costs more than all the rest.
      const handler = this.messageHandlers.get(event.type);
      if (!handler) return;
      const returned: unknown = await handler(event, new ReactionContext([event, info]));
      if (isObservable(returned)) await lastValueFrom(returned, { defaultValue: undefined });
    };
    await (this.parts.around ? this.parts.around(event, info, work) : work());
  }

  private async prune(): Promise<void> {
    const { signal } = this.stopping;
    while (await pause(pruneEveryMs * (0.5 + Math.random()), signal))
      await pruneInbox(this.parts.database, { signal }).catch((error: unknown) => {
        this.parts.logger.warn({ service: this.parts.service, err: error }, 'inbox cannot be pruned for now');
      });
  }
}
