import type {
  Decider,
  DomainEvent,
  EventStore,
  CommandLoop,
  Publication,
  Rejection,
  Schema,
  SnapshotRules,
} from '@billstream/event-sourcing';
import type { Clock } from '@billstream/kernel';
import type { AppliedListener, Database, DueItem, ReadModel } from '@billstream/postgres';
import type { Intake } from '@billstream/rabbitmq';
import type { DynamicModule } from '@nestjs/common';
import type { Logger } from 'pino';

export type ContextName = 'accounts' | 'subscriptions' | 'metering' | 'invoicing' | 'payments';

/** What a service is made of, as data; the runtime gives it a store, a database, a bus, a clock and HTTP. */
export type ServiceDefinition = {
  readonly name: ContextName;
  /** Prefixes of the streams it owns, e.g. `account-`. The relay and the read models see these alone. */
  readonly streams: readonly string[];
  readonly readModels: readonly ReadModel[];
  /**
   * Program of a thread that projects them (`runProjectionThread`), where that is so much work that it would keep waiting who asks.
   * Left out, and where no thread can reach the store: this thread projects.
   */
  readonly projectionThread?: string;
  readonly publication: Publication;
  /** Contexts whose public events its reactions listen to. */
  readonly hears: readonly ContextName[];
  /** Due work of one tenant at a time, where it waits for what the tenant has named; absent: as it comes. */
  readonly dueWorkPerTenant?: number;
  /** Handlers of due work by kind. Each runs at least once per item, possibly again after a crash: its command ids are derived. */
  readonly dueWork?: (runtime: ServiceRuntime) => Readonly<Record<string, (item: DueItem) => Promise<void>>>;
  /** Endpoints (`@Controller`), reactions (`@EventPattern('accounts.account-created.v1')` methods) and their providers. */
  readonly module: (runtime: ServiceRuntime) => DynamicModule;
  /** Work that goes on while the service runs, e.g. metering's ingest writer. */
  readonly background?: (runtime: ServiceRuntime, signal: AbortSignal) => Promise<void>;
};

export type ServiceRuntime = {
  readonly name: ContextName;
  readonly store: EventStore;
  /** search_path is the service's own schema. */
  readonly database: Database;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Validated configuration common to all services, e.g. the secrets key and the PayPal mode. */
  readonly settings: Settings;
  /** The command loop with this service's store, metrics and log line per command. */
  handle<Command, Event extends DomainEvent, State, Refusal extends Rejection>(
    decider: Decider<Command, Event, State, Refusal>,
    schema: Schema<Event>,
    /** For streams that grow long. */
    snapshots?: SnapshotRules,
  ): CommandLoop<Command, Event, State, Refusal>;
  /** Resolves once this service's read models have passed a position, or after at most 2 s. Null resolves at once. */
  visible(position: bigint | null): Promise<void>;
  /**
   * Whether this service's read models have passed a position, or do within the time given, which begins anew whenever
   * they have moved, up to `mostMs` in all (default: 2 s, or `withinMs` where that is more).
   */
  passed(position: bigint, withinMs: number, mostMs?: number): Promise<boolean>;
  /** What this service's read models tell of what they applied, as long as this process is the one that projects. */
  readonly applied: {
    isHere(): boolean;
    listen(listener: AppliedListener): void;
  };
  /** Like `visible`, for everything this service has appended or could have seen until now: use it before answering 404. */
  caughtUp(): Promise<void>;
  /** Takes what others send to an exchange of this service; absent where there is no broker to send to. */
  readonly intake?: Intake;
  /** Raises a gauge or counts something under this service's metrics. */
  readonly metrics: ServiceMetrics;
};

export type ServiceMetrics = {
  count(name: string, labels?: Readonly<Record<string, string>>, by?: number): void;
  gauge(name: string, value: number, labels?: Readonly<Record<string, string>>): void;
};

export type Settings = {
  readonly embedded: boolean;
  readonly testClock: boolean;
  /** False switches off the inbox, the memory of command ids and the names of usage records, for the test that shows what they are good for. */
  readonly recogniseRepeats?: boolean;
  /** Who may log in with Basic authentication; null: nobody (a mistake of the configuration outside the embedded mode). */
  readonly administrator: { readonly user: string; readonly password: string } | null;
  /** The tenant that accounts makes sure of at start, and that unauthenticated metering belongs to in the embedded mode. */
  readonly bootstrapTenant: { readonly apiKey: string; readonly apiSecret: string } | null;
  /** Whether tenants' callbacks may be at addresses that are not public; left out: in the embedded mode alone. */
  readonly privateCallbacks?: boolean;
  /** After how many days usage that was staged and not committed is given up; left out: seven. */
  readonly backfillDays?: number;
  /** 32 bytes, hex: seals plugin credentials in the log. */
  readonly secretsKey: string;
  readonly dataDirectory: string;
  readonly payPalMode: 'emulator' | 'sandbox' | 'live';
  /** Base URL of the gateway emulator as a browser reaches it, e.g. http://127.0.0.1:8090 */
  readonly emulatorUrl: string;
  /** Base URL of the gateway as clients reach it when no Host header is known. */
  readonly publicUrl: string;
};
