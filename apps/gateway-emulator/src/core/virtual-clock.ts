import type { Part } from './emulator-store';

export type ClockChange = { readonly advanceMs: number };

export type VirtualClock = Part<ClockChange> & { now(): number };

/** The machine's clock plus an offset: tokens expire and search indexes catch up without anyone waiting for it. */
export const createClock = (machine: () => number = Date.now): VirtualClock => {
  let offsetMs = 0;
  return {
    name: 'clock',
    apply: ({ advanceMs }) => {
      offsetMs += advanceMs;
    },
    reset: () => {
      offsetMs = 0;
    },
    now: () => machine() + offsetMs,
  };
};
