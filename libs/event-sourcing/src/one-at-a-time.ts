/** Runs the work given for one key in the order given, one at a time; different keys run side by side. */
export const oneAtATime = (): (<T>(key: string, work: () => Promise<T>) => Promise<T>) => {
  const tails = new Map<string, Promise<unknown>>();
  return <T>(key: string, work: () => Promise<T>): Promise<T> => {
    const before = tails.get(key);
    const result = before ? before.then(work, work) : work();
    tails.set(key, result);
    const done = (): void => {
      if (tails.get(key) === result) tails.delete(key);
    };
    result.then(done, done);
    return result;
  };
};
