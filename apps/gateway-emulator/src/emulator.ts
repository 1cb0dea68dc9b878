import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createControl } from './core/control-api';
import { memoryJournal, openJournal, type Journal } from './core/emulator-journal';
import { createStore } from './core/emulator-store';
import { createFaultPlan } from './core/fault-plan';
import { createLedger } from './core/money-ledger';
import { createProviderServer, type Log, type RequestNote } from './core/provider-server';
import { createClock } from './core/virtual-clock';
import { createPayPalFace } from './paypal/paypal-face';
import { createPayPalState } from './paypal/paypal-state';

export type EmulatorOptions = {
  /** 0 takes a free port. */
  readonly port: number;
  readonly host?: string | undefined;
  /** Where every charge is written before it is answered; without it the emulator forgets at exit. */
  readonly journal?: string | undefined;
  readonly log?: Log | undefined;
};

export type RunningEmulator = {
  readonly port: number;
  readonly url: string;
  close(): Promise<void>;
};

const NOTES_MAX = 1000;

export const startEmulator = async (options: EmulatorOptions): Promise<RunningEmulator> => {
  const host = options.host ?? '127.0.0.1';
  const [ledger, faults, clock, state] = [createLedger(), createFaultPlan(), createClock(), createPayPalState()];
  let journal: Journal = memoryJournal();
  const store = createStore([ledger, faults, clock, state], () => journal);
  if (options.journal)
    journal = await openJournal(options.journal, (record) => {
      store.replay(record);
    });

  const faces = [createPayPalFace({ state, ledger, store, now: () => clock.now() })];
  const notes: RequestNote[] = [];
  const server = createProviderServer({
    faces,
    control: createControl({
      store,
      ledger,
      faults,
      clock,
      requests: () => notes,
      clearRequests: () => void notes.splice(0),
      faces,
    }),
    faults,
    store,
    journal: () => journal,
    note: (note) => {
      notes.push({ at: new Date(clock.now()).toISOString(), ...note });
      if (notes.length > NOTES_MAX * 2) notes.splice(0, NOTES_MAX);
    },
    log: options.log ?? (() => undefined),
  });

  server.listen(options.port, host);
  await once(server, 'listening').catch(async (error: unknown) => {
    await journal.close();
    throw error;
  });
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
      await journal.close();
    },
  };
};
