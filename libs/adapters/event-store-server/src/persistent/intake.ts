import { followAll, followStream, type Following } from '../protocol/subscription';
import type { EventStore } from '../storage/event-store';
import { ALL } from '../storage/head';
import type { StoredEvent } from '../storage/stored-event';
import { resolve } from '../storage/visibility';
import { isBookkeeping } from './group-streams';
import type { GroupMessage } from './messages';
import { filterOf, type GroupDefinition } from './settings';

interface IntakeParts {
  readonly store: EventStore;
  readonly definition: GroupDefinition;
  /** Told of every event, wanted or not, in the order of the source. */
  readonly read: (place: number, wanted: boolean) => void;
  /** Told that the buffer has grown. */
  readonly found: () => void;
}

const follow = (store: EventStore, { stream, startAfter }: GroupDefinition): Following =>
  stream === ALL ? followAll(store, startAfter) : followStream(store, stream, startAfter < 0 ? 'start' : startAfter);

/** Reads a group's source into its buffer, a page at a time, and waits at the end of the source. */
export const createIntake = ({ store, definition, read, found }: IntakeParts) => {
  const { stream, settings } = definition;
  const filter = filterOf(definition.filter);
  const following = follow(store, definition);
  const buffer: GroupMessage[] = [];
  let reading = false;
  let stopped = false;
  let withdraw: (() => void) | undefined;

  const accept = async (event: StoredEvent): Promise<void> => {
    const wanted = (stream !== ALL || !isBookkeeping(event.stream)) && (filter?.matches(event) ?? true);
    const place = stream === ALL ? event.position : event.revision;
    read(place, wanted);
    if (!wanted) return;
    const resolved = settings.resolveLinks ? await resolve(store, event) : { event, link: undefined };
    buffer.push({ source: event, resolved, place, retries: 0, sentAtMs: 0 });
  };

  const readPage = async (): Promise<boolean> => {
    withdraw?.();
    const page = await following.next();
    for (const event of page) await accept(event);
    if (page.length > 0 || stopped) return page.length > 0;
    withdraw = store.head.onCommit(following.wakeOn, readOn);
    return following.isBehind();
  };

  const readOn = (): void => {
    if (reading || stopped) return;
    reading = true;
    readPage().then(
      (more) => {
        reading = false;
        if (more) found();
      },
      () => {
        reading = false; // the log is away; the group asks again
      },
    );
  };

  return {
    buffer,
    readOn,
    rest: (): void => withdraw?.(),
    stop: (): void => {
      stopped = true;
      withdraw?.();
      buffer.length = 0;
    },
  };
};
