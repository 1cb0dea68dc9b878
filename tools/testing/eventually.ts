import { setTimeout as delay } from 'node:timers/promises';

/** Polls until `probe` answers true; a test that sleeps a fixed time is either slow or flaky. */
export const eventually = async (probe: () => boolean | Promise<boolean>, deadlineMs = 10_000): Promise<void> => {
  const end = Date.now() + deadlineMs;
  while (!(await probe())) {
    if (Date.now() > end) throw new Error(`Not so within ${String(deadlineMs)} ms: ${probe.toString()}`);
    await delay(10);
  }
};
