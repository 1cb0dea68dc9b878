import type { Journal } from './emulator-journal';

/** A piece of state that changes only by `apply`, so that a restart can rebuild it from the journal. */
export type Part<C> = { readonly name: string; apply(change: C): void; reset(): void };

type Entry = { readonly in: string; readonly do: unknown };

/** One commit is one journal line: the changes of a request become durable together or not at all. */
export type Commit = (...entries: readonly Entry[]) => void;

export type Store = {
  readonly commit: Commit;
  readonly reset: () => void;
  readonly replay: (record: unknown) => void;
};

export const changeOf = <C>(part: Part<C>, change: C): Entry => ({ in: part.name, do: change });

const RESET: Entry = { in: 'store', do: 'reset' };

export const createStore = (parts: readonly Part<never>[], journal: () => Journal): Store => {
  const byName = new Map(parts.map((part) => [part.name, part]));

  const apply = (entry: Entry): void => {
    if (entry.in === RESET.in) {
      parts.forEach((part) => part.reset());
      return;
    }
    const part = byName.get(entry.in);
    if (!part) throw new Error(`the journal speaks of an unknown part ${entry.in}`);
    part.apply(entry.do as never); // the journal is the parser here: only this emulator writes it
  };

  const commit: Commit = (...entries) => {
    entries.forEach(apply);
    journal().append(entries);
  };

  return {
    commit,
    reset: () => commit(RESET),
    replay: (record) => (record as readonly Entry[]).forEach(apply),
  };
};
