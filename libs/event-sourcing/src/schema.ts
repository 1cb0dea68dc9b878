import type { DomainEvent, RecordedEvent } from './message';

type Upcast = (data: Record<string, unknown>) => object;
type StoredForm = { readonly type: string; readonly data: object };

/** How the data of an event lie on disk where that is not how decisions want them. */
export type Packing<Data> = {
  readonly pack: (data: Data) => object;
  readonly unpack: (stored: Record<string, unknown>) => Data;
};

type Packings<Event extends DomainEvent> = {
  readonly [T in Event['type']]?: Packing<Extract<Event, { readonly type: T }>['data']>;
};

/** How the events of one aggregate are named on disk, and how older versions become the current one. */
export type Schema<Event extends DomainEvent> = {
  /** Stored names, current version, by event type: for filters and projections. */
  readonly names: { readonly [T in Event['type']]: string };
  encode(event: Event): StoredForm;
  /** Null for a stored name this schema does not know: another aggregate's event, or one of a later release. */
  decode(recorded: Pick<RecordedEvent, 'type' | 'data'>): Event | null;
};

/**
 * `names` is exhaustive: an event without a stored name does not compile. `steps` maps an old stored name to the next
 * one; a version, once written, keeps its line for ever. `packings` are of current versions.
 */
export const defineSchema = <Event extends DomainEvent>(
  names: { readonly [T in Event['type']]: string },
  steps: Readonly<Record<string, { readonly to: string; readonly upcast: Upcast }>> = {},
  packings: Packings<Event> = {},
): Schema<Event> => {
  const packingOf = packings as Readonly<Record<string, Packing<object>>>;
  const storedNames = names as Readonly<Record<string, string>>;
  const types = new Map(Object.entries(storedNames).map(([type, name]) => [name, type]));
  return {
    names,
    encode: ({ type, data }) => {
      const name = storedNames[type];
      if (name === undefined) throw new TypeError(`event without a stored name: ${type}`);
      return { type: name, data: packingOf[type]?.pack(data) ?? data };
    },
    decode: ({ type, data }) => {
      let form: StoredForm = { type, data };
      for (let step = steps[form.type]; step; step = steps[form.type])
        form = { type: step.to, data: step.upcast(form.data as Record<string, unknown>) };
      const current = types.get(form.type);
      if (current === undefined) return null;
      const packing = packingOf[current];
      return { type: current, data: packing?.unpack(form.data as Record<string, unknown>) ?? form.data } as Event;
    },
  };
};
