import type { CommandLoop, Handle, Handled } from '@billstream/event-sourcing';
import type { Metrics } from '@billstream/observability';
import type { Measure, Report } from '@billstream/rabbitmq';
import type { Logger } from 'pino';
import type { ServiceMetrics } from './service';

/** The bus's measures under the names that operators know. */
export const busReport =
  (metrics: Metrics): Report =>
  (measure: Measure): void => {
    switch (measure.kind) {
      case 'published':
      case 'returned':
        metrics.published(measure.kind, measure.messages);
        return;
      case 'confirmed':
        metrics.published('confirmed', measure.messages, measure.ms / 1000);
        return;
      case 'publish-failed':
        metrics.published('failed', 1);
        return;
      case 'handled':
        metrics.consumed({
          consumer: measure.service,
          type: measure.type,
          outcome: measure.outcome,
          seconds: measure.ms / 1000,
        });
        return;
      case 'retried':
        metrics.retried(measure.service, measure.cause);
        return;
      case 'subscribed':
        metrics.subscribed(measure.service, measure.partitions);
        return;
      case 'relayed':
        metrics.relay(measure);
    }
  };

export const serviceMetrics = (metrics: Metrics, service: string): ServiceMetrics => ({
  count: (name, labels = {}, by = 1) => {
    metrics.count(name, { service, ...labels }, by);
  },
  gauge: (name, value, labels = {}) => {
    metrics.gauge(name, { service, ...labels }, value);
  },
});

type Around = { readonly service: string; readonly logger: Logger; readonly metrics: Metrics };

/** One line per command at its end: what became of it and how long it took. */
export const observed = <Command, Event, State, Refusal>(
  loop: CommandLoop<Command, Event, State, Refusal>,
  { service, logger, metrics }: Around,
): CommandLoop<Command, Event, State, Refusal> => {
  const handle: Handle<Command, Event, State, Refusal> = async (stream, command, context, options) => {
    const started = performance.now();
    const facts = { stream, command: nameOf(command), commandId: context.commandId };
    const category = stream.slice(0, Math.max(0, stream.indexOf('-'))) || stream;
    const spent = (outcome: string): number => {
      const ms = performance.now() - started;
      metrics.command({ service, category, outcome, seconds: ms / 1000 });
      return Math.round(ms * 100) / 100;
    };
    try {
      const handled = await loop(stream, command, context, options);
      logger.info({ ...facts, ...outcomeOf(handled), durationMs: spent(handled.outcome) }, 'command');
      return handled;
    } catch (error) {
      logger.warn({ ...facts, outcome: 'failed', durationMs: spent('failed'), err: error }, 'command');
      throw error;
    }
  };
  return Object.assign(handle, { stateOf: loop.stateOf });
};

const nameOf = (command: unknown): string | undefined =>
  typeof command === 'object' && command !== null && 'type' in command && typeof command.type === 'string'
    ? command.type
    : undefined;

const outcomeOf = <Event, State, Refusal>(handled: Handled<Event, State, Refusal>): object => {
  switch (handled.outcome) {
    case 'accepted':
      return {
        outcome: handled.repeated ? 'repeated' : 'accepted',
        events: handled.events.length,
        revision: String(handled.revision),
      };
    case 'rejected':
      return { outcome: 'rejected', rejection: handled.rejection };
    case 'revision-conflict':
    case 'command-id-reused':
      return { outcome: handled.outcome };
  }
};
