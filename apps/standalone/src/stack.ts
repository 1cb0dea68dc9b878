/** Things that were started, in order; stopping undoes them in the reverse order, each even if another one fails. */
export type Stack = {
  add<T>(what: string, started: T, stop: (started: T) => unknown): T;
  stop(): Promise<void>;
};

export const stack = (log: (message: string, facts: object) => void): Stack => {
  const stops: { readonly what: string; readonly stop: () => unknown }[] = [];
  return {
    add: (what, started, stop) => {
      stops.push({ what, stop: () => stop(started) });
      return started;
    },
    stop: async () => {
      for (const { what, stop } of stops.splice(0).reverse()) {
        try {
          await stop();
        } catch (error) {
          log('could not stop', { what, error: error instanceof Error ? error.message : String(error) });
        }
      }
    },
  };
};
