import { spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import type { Lease } from './lease';

export type Watchdog = {
  /** The process to stop when this one dies; 0 when there is none any more. */
  readonly watch: (pid: number) => void;
  dismiss(): void;
};

/** Gives a supervisor that restarts us at once the time to adopt the running server instead of waiting for its stop. */
const graceMs = 500;

/**
 * Started before PostgreSQL, so that there is no moment in which our death would leave it running. Both are detached:
 * Ctrl-C goes to every process of the terminal's group, and PostgreSQL has to outlive what still writes to it.
 */
export const startWatchdog = (lease: Lease, data: string, pgCtl: string): Watchdog => {
  const program = join(__dirname, 'watchdog.cjs');
  const child = spawn(process.execPath, [program, lease.folder, lease.name, data, pgCtl, String(graceMs)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    env: {},
    windowsHide: true,
  });
  child.on('error', () => undefined);
  child.stdin.on('error', () => undefined);
  child.unref();
  (child.stdin as unknown as Socket).unref();
  return {
    watch: (pid) => {
      child.stdin.write(`${String(pid)}\n`);
    },
    dismiss: () => {
      child.stdin.end();
    },
  };
};
