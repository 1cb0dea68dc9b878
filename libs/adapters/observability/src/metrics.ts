import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

export type Labels = Readonly<Record<string, string>>;

/**
 * The process's own registry and the figures that matter to an operator. Names follow what runs in the field; nothing is
 * labelled by tenant, account or raw path, whose number has no bound.
 */
export type Metrics = {
  readonly registry: Registry;
  http(observed: {
    readonly service: string;
    readonly route: string;
    readonly method: string;
    readonly code: number;
    readonly seconds: number;
  }): void;
  command(done: {
    readonly service: string;
    readonly category: string;
    readonly outcome: string;
    readonly seconds: number;
  }): void;
  appendConflict(service: string): void;
  relay(at: { readonly service: string; readonly position: bigint; readonly lagMs: number }): void;
  published(what: 'published' | 'confirmed' | 'returned' | 'failed', messages: number, seconds?: number): void;
  consumed(done: {
    readonly consumer: string;
    readonly type: string;
    readonly outcome: string;
    readonly seconds: number;
  }): void;
  retried(consumer: string, cause: string): void;
  subscribed(consumer: string, partitions: number): void;
  deadLetters(consumer: string, letters: number): void;
  projection(at: {
    readonly service: string;
    readonly position: bigint;
    readonly lagMs: number;
    readonly events: number;
  }): void;
  dueWork(done: {
    readonly service: string;
    readonly kind: string;
    readonly outcome: string;
    readonly seconds: number;
  }): void;
  /** A counter or gauge of a service's own; the first use fixes its label names. */
  count(name: string, labels: Labels, by: number): void;
  gauge(name: string, labels: Labels, value: number): void;
};

const seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export const createMetrics = (): Metrics => {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return { registry, ...ownWork(registry), ...betweenServices(registry), ...freeOnes(registry) };
};

const ownWork = (registry: Registry) => {
  const registers = [registry];
  const histogram = <L extends string>(name: string, help: string, labelNames: readonly L[]): Histogram<L> =>
    new Histogram({ name, help, labelNames: [...labelNames], buckets: seconds, registers });
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[]): Gauge<L> =>
    new Gauge({ name, help, labelNames: [...labelNames], registers });
  const http = histogram('http_request_duration_seconds', 'Requests by route template', [
    'service',
    'route',
    'method',
    'code',
  ]);
  const command = histogram('command_seconds', 'Commands by stream category and outcome', [
    'service',
    'category',
    'outcome',
  ]);
  const conflicts = new Counter({
    name: 'append_conflicts_total',
    help: 'Appends that lost a race',
    labelNames: ['service'],
    registers,
  });
  const position = gauge('projection_position', 'Every read model has passed it', ['service']);
  const lag = gauge('projection_lag_seconds', 'Age of the last event applied', ['service']);
  const events = gauge('projection_events', 'Events applied since the start', ['service']);
  const due = histogram('due_work_seconds', 'Due work by kind and outcome', ['service', 'kind', 'outcome']);
  return {
    http: ({ service, route, method, code, seconds: took }) =>
      http.observe({ service, route, method, code: String(code) }, took),
    command: ({ service, category, outcome, seconds: took }) => command.observe({ service, category, outcome }, took),
    appendConflict: (service) => conflicts.inc({ service }),
    projection: (at) => {
      position.set({ service: at.service }, Number(at.position));
      lag.set({ service: at.service }, at.lagMs / 1000);
      events.set({ service: at.service }, at.events);
    },
    dueWork: ({ service, kind, outcome, seconds: took }) => due.observe({ service, kind, outcome }, took),
  } satisfies Partial<Metrics>;
};

const betweenServices = (registry: Registry) => {
  const registers = [registry];
  const relayPosition = new Gauge({
    name: 'relay_position',
    help: 'Confirmed by the bus up to here',
    labelNames: ['service'],
    registers,
  });
  const relayLag = new Gauge({
    name: 'relay_oldest_unsent_seconds',
    help: 'Age of the last event published',
    labelNames: ['service'],
    registers,
  });
  const messages = new Counter({
    name: 'publish_messages_total',
    help: 'Messages by what became of them',
    labelNames: ['what'],
    registers,
  });
  const confirm = new Histogram({
    name: 'publish_confirm_seconds',
    help: 'Time until a page was safe',
    buckets: seconds,
    registers,
  });
  const handled = new Histogram({
    name: 'consumer_seconds',
    help: 'Messages by consumer, type and outcome',
    labelNames: ['consumer', 'type', 'outcome'],
    buckets: seconds,
    registers,
  });
  const retries = new Counter({
    name: 'consumer_retries_total',
    help: 'Attempts that have to be repeated',
    labelNames: ['consumer', 'cause'],
    registers,
  });
  const partitions = new Gauge({
    name: 'consumer_partitions',
    help: 'Partitions subscribed now',
    labelNames: ['consumer'],
    registers,
  });
  const parked = new Gauge({
    name: 'dead_letters',
    help: 'Messages that wait for an operator',
    labelNames: ['consumer'],
    registers,
  });
  return {
    relay: ({ service, position, lagMs }) => {
      relayPosition.set({ service }, Number(position));
      relayLag.set({ service }, lagMs / 1000);
    },
    published: (what, count, took) => {
      messages.inc({ what }, count);
      if (took !== undefined) confirm.observe(took);
    },
    consumed: ({ consumer, type, outcome, seconds: took }) => handled.observe({ consumer, type, outcome }, took),
    retried: (consumer, cause) => retries.inc({ consumer, cause }),
    subscribed: (consumer, count) => partitions.set({ consumer }, count),
    deadLetters: (consumer, letters) => parked.set({ consumer }, letters),
  } satisfies Partial<Metrics>;
};

const freeOnes = (registry: Registry) => {
  const counters = new Map<string, Counter>();
  const gauges = new Map<string, Gauge>();
  const config = (name: string, labels: Labels) => ({
    name,
    help: name.replaceAll('_', ' '),
    labelNames: Object.keys(labels),
    registers: [registry],
  });
  return {
    count: (name, labels, by) => {
      const counter = counters.get(name) ?? new Counter(config(name, labels));
      counters.set(name, counter);
      counter.inc(labels, by);
    },
    gauge: (name, labels, value) => {
      const gauge = gauges.get(name) ?? new Gauge(config(name, labels));
      gauges.set(name, gauge);
      gauge.set(labels, value);
    },
  } satisfies Partial<Metrics>;
};
