import type { CommandContext } from '@billstream/event-sourcing';
import type { DueItem } from '@billstream/postgres';
import { derivedId } from '@billstream/kernel';
import { limitNews, limitNewsSchema, limitNewsSnapshots, limitNewsStream } from '@billstream/metering-domain';
import { limitDue, tellLimit, untoldTransitions } from '@billstream/metering-read-models';
import type { ServiceRuntime } from '@billstream/service-runtime';

/** Handlers of due work by kind. */
export const meteringDueWork = (
  runtime: ServiceRuntime,
): Readonly<Record<string, (item: DueItem) => Promise<void>>> => ({ [tellLimit]: telling(runtime) });

/**
 * Writes the news of a limit into the log, from where they are published; or, when there are none, that time has passed,
 * for the read model to judge. The stream leaves out what it was told before, so doing it twice tells nothing twice.
 */
const telling = (runtime: ServiceRuntime) => {
  const handle = runtime.handle(limitNews, limitNewsSchema, limitNewsSnapshots);
  return async (item: DueItem): Promise<void> => {
    const { key: series, dueAt } = item;
    const due = await limitDue(runtime.database, series);
    if (due === null || due.dueAt === null || due.dueAt > dueAt) return;
    const transitions = due.hasNews ? await untoldTransitions(runtime.database, series) : [];
    const command = { user: due.user, unit: due.unit, transitions, dueAt: due.hasNews ? null : dueAt };
    // The same news, or the same instant after the same history, is the same command.
    const name = transitions.at(-1)?.transitionId ?? `${due.entries} ${dueAt}`;
    const told = await handle(limitNewsStream(series), command, contextOf(runtime, item, name));
    if (told.outcome !== 'accepted') throw new Error(`a limit could not be told: ${told.outcome}`);
  };
};

const contextOf = ({ clock }: ServiceRuntime, { tenantId, key, dueAt }: DueItem, name: string): CommandContext => ({
  commandId: derivedId('tell-limit', key, name),
  tenantId,
  actor: { createdBy: 'billstream' },
  at: clock.now(tenantId),
  correlationId: derivedId('due-work', tellLimit, key, dueAt),
});
