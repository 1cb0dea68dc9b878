/** Kills and cuts while the day goes on. What is hit, and when, is drawn from the seed. */
import type { TcpProxy } from '../testing/tcp-proxy';
import type { Random } from './random';

export type Victim = {
  readonly name: string;
  /** SIGKILL. False: it was not running, being on its way back from the last time. */
  kill(): boolean;
};

export type Line = { readonly name: string; readonly proxy: TcpProxy };

export type ChaosParts = {
  readonly random: Random;
  readonly victims: readonly Victim[];
  readonly lines: readonly Line[];
  readonly kills: number;
  readonly cuts: number;
  /** Between the recovery from one kill and the next kill, on average. */
  readonly gapMs: number;
  /** Resolves when everything that was killed works again; rejects after a time, naming what does not. */
  recovered(): Promise<void>;
  readonly say: (text: string) => void;
};

export type Chaos = {
  /** Up to this share of the faults may happen from now on: a run that begins slowly must not spend them all on its beginning. */
  allow(share: number): void;
  /** Faults so far, by kind, e.g. `kill invoicing`. */
  tally(): Readonly<Record<string, number>>;
  slowestRecoveryMs(): number;
  /** Resolves when all that was ordered has been done; rejects when something did not come back. */
  readonly done: Promise<void>;
  isOver(): boolean;
  /** No more from now on; resolves when what runs has ended. */
  stop(): Promise<void>;
};

const shareOfKillsDuringRecovery = 0.2;

export const startChaos = (parts: ChaosParts): Chaos => {
  const { random, victims, lines, gapMs, say } = parts;
  const counts = new Map<string, number>();
  const stopping = new AbortController();
  let slowest = 0;
  let over = false;
  let allowed = 0;
  let allowMore: () => void = () => undefined;
  const count = (kind: string): void => void counts.set(kind, (counts.get(kind) ?? 0) + 1);
  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        stopping.signal.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      stopping.signal.addEventListener('abort', end);
      if (stopping.signal.aborted) end();
    });
  const isStopped = (): boolean => stopping.signal.aborted;

  /** Resolves when one more of `total` faults is allowed. */
  const turn = async (done: number, total: number): Promise<void> => {
    while (done >= Math.ceil(total * allowed) && !isStopped())
      await new Promise<void>((resolve) => {
        const before = allowMore;
        allowMore = () => {
          before();
          resolve();
        };
        stopping.signal.addEventListener('abort', () => resolve(), { once: true });
      });
  };

  const kill = (among: Random): boolean => {
    const victim = among.pick(victims);
    if (!victim.kill()) return false;
    count(`kill ${victim.name}`);
    return true;
  };

  const killing = async (): Promise<void> => {
    const among = random.fork('kills');
    for (let killed = 0; killed < parts.kills && !isStopped();) {
      await turn(killed, parts.kills);
      await pause(gapMs * (0.2 + 1.6 * among.next()));
      if (isStopped()) return;
      const at = performance.now();
      if (!kill(among)) continue;
      killed += 1;
      while (killed < parts.kills && among.chance(shareOfKillsDuringRecovery)) {
        await pause(among.int(50, 1_500));
        if (kill(among)) killed += 1;
      }
      await parts.recovered();
      slowest = Math.max(slowest, performance.now() - at);
      if (killed % 10 === 0) say(`${String(killed)} kills`);
    }
  };

  const cutting = async (): Promise<void> => {
    const among = random.fork('cuts');
    for (let cut = 0; cut < parts.cuts && lines.length > 0 && !isStopped(); cut += 1) {
      await turn(cut, parts.cuts);
      // Twice as many kills as cuts are asked for by default, and a kill also takes the time of its recovery.
      await pause(3 * gapMs * (0.2 + 1.6 * among.next()));
      if (isStopped()) return;
      const { name, proxy } = among.pick(lines);
      count(`cut ${name}`);
      if (among.chance(0.5)) proxy.cut();
      else await proxy.refuse(among.int(100, 2_500));
    }
  };

  const done = Promise.all([killing(), cutting()]).then(() => {
    over = true;
  });
  done.catch(() => undefined);
  return {
    allow: (share) => {
      allowed = share;
      allowMore();
      allowMore = () => undefined;
    },
    tally: () => Object.fromEntries(counts),
    slowestRecoveryMs: () => slowest,
    done,
    isOver: () => over,
    stop: async () => {
      stopping.abort();
      await done;
    },
  };
};
