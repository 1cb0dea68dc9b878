import { setTimeout as delay } from 'node:timers/promises';

const patienceMs = 1_000;
const pauseMs = 20;

/** What comes from another service's events may be on its way still: looks again for a second before it is missing. */
export const soon = async <T>(look: () => Promise<T | null>): Promise<T | null> => {
  for (let waited = 0; ; waited += pauseMs) {
    const found = await look();
    if (found !== null || waited >= patienceMs) return found;
    await delay(pauseMs);
  }
};
