import type { EventStore } from '@billstream/event-sourcing';
import { createLogger } from '@billstream/observability';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker, parentPort, workerData } from 'node:worker_threads';
import type { Logger } from 'pino';
import { openDatabase } from './database';
import { positionWaiters } from './position-waiters';
import {
  type Applied,
  type ProjectionParts,
  type ProjectionProgress,
  type Projections,
  appliedListeners,
  backOffMs,
  notYet,
  runProjections,
  untilPrepared,
} from './projection-runner';
import type { ReadModel } from './read-model';

/** What a thread is told at its start. Connections cannot be handed over, so it opens its own. */
type Errand = {
  readonly service: string;
  readonly eventStoreUrl: string;
  readonly databaseUrl: string;
  readonly schema: string;
  readonly prefixes: readonly string[];
  readonly logLevel: string;
};

/** What it tells: what was applied, how far it is after each page, and lines of its log. */
type News = { readonly progress: ProjectionProgress } | { readonly applied: Applied } | { readonly line: string };

export type ProjectionThreadParts = Omit<ProjectionParts, 'store' | 'pageSize'> & {
  /** The program of the thread; it calls `runProjectionThread`. */
  readonly file: string;
  readonly eventStoreUrl: string;
  readonly databaseUrl: string;
};

/**
 * `runProjections` in a thread of its own: whoever asks this thread does not wait while a page is applied. When the thread
 * ends, another one goes on from its checkpoints.
 */
export const projectInThread = (parts: ProjectionThreadParts): Projections => {
  const { service, database, logger, signal } = parts;
  let progress = notYet;
  const waiters = positionWaiters(database, () => progress);
  const listeners = appliedListeners(parts.onApplied);
  const report = (next: ProjectionProgress): void => {
    if (next.isActive !== progress.isActive) listeners.missed();
    progress = next;
    waiters.reached(next.position);
    parts.onProgress?.(next);
  };
  const run = async (): Promise<void> => {
    for (let failures = 0; !signal.aborted; failures += 1) {
      const { events } = progress;
      const error = await threadEnded(parts, {
        progress: (next) => report({ ...next, events: events + next.events }),
        applied: listeners.applied,
      });
      if (progress.events > events) failures = 0;
      report({ ...progress, isActive: false });
      if (!isAborted(signal))
        logger.error({ service, err: error }, 'the thread that projects has ended, will be started again');
      await sleep(backOffMs(failures), undefined, { signal }).catch(() => undefined);
    }
    waiters.close();
  };
  const ready = untilPrepared(parts, () => progress.isActive);
  ready.catch(() => undefined);
  return { done: run(), ready, progress: () => progress, visible: waiters.visible, listen: listeners.add };
};

/** A function, because a property that was read once is taken for constant although another task changes it. */
const isAborted = (signal: AbortSignal): boolean => signal.aborted;

type Hear = {
  readonly progress: (progress: ProjectionProgress) => void;
  readonly applied: (applied: Applied) => void;
};

/** Starts a thread and resolves when it has ended: with what it ended by, if that was an error. */
const threadEnded = (parts: ProjectionThreadParts, hear: Hear): Promise<unknown> => {
  const { file, service, eventStoreUrl, databaseUrl, database, prefixes, logger, signal } = parts;
  const { schema } = database;
  const errand: Errand = { service, eventStoreUrl, databaseUrl, schema, prefixes, logLevel: logger.level };
  const thread = new Worker(file, { workerData: errand });
  const say = retelling(logger);
  const stop = (): void => thread.postMessage('stop');
  signal.addEventListener('abort', stop, { once: true });
  thread.on('message', (news: News) => {
    if ('progress' in news) hear.progress(news.progress);
    else if ('applied' in news) hear.applied(news.applied);
    else say(news.line);
  });
  let failure: unknown;
  thread.once('error', (error) => (failure = error));
  return new Promise((resolve) => {
    thread.once('exit', () => {
      signal.removeEventListener('abort', stop);
      resolve(failure);
    });
  });
};

type Line = {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal';
  readonly msg: string;
  readonly [fact: string]: unknown;
};
/** Each line of this thread begins with them already. */
const isOfEveryLine = new Set(['level', 'msg', 'time', 'service']);

/** Says lines of another thread in this one's log. Their errors are text already: another look at them would lose their types. */
const retelling = (logger: Logger): ((line: string) => void) => {
  const own = logger.child({}, { serializers: { err: (told: unknown) => told } });
  return (line) => {
    const told = JSON.parse(line) as Line;
    own[told.level](Object.fromEntries(Object.entries(told).filter(([fact]) => !isOfEveryLine.has(fact))), told.msg);
  };
};

export type ProjectionThread = {
  readonly readModels: readonly ReadModel[];
  readonly openStore: (url: string, logger: Logger) => EventStore & { close(): Promise<void> };
};

/** The program of a thread: projects until the thread that started it says to stop. */
export const runProjectionThread = async ({ readModels, openStore }: ProjectionThread): Promise<void> => {
  if (parentPort === null) throw new Error('only a thread that another one has started can do this');
  const port = parentPort;
  const { service, eventStoreUrl, databaseUrl, schema, prefixes, logLevel } = workerData as Errand;
  const tell = (news: News): void => port.postMessage(news);
  const logger = createLogger({ service, level: logLevel, destination: { write: (line) => tell({ line }) } });
  const stopping = new AbortController();
  port.once('message', () => stopping.abort());
  const store = openStore(eventStoreUrl, logger);
  const database = openDatabase({
    ...{ url: databaseUrl, schema, applicationName: `billstream ${service} projections`, poolSize: 2 },
    onError: (error) => logger.warn({ err: error }, 'database connection lost'),
  });
  await runProjections({
    ...{ service, store, database, readModels, prefixes, logger },
    signal: stopping.signal,
    onProgress: (progress) => tell({ progress }),
    onApplied: (applied) => tell({ applied }),
  }).done;
  await Promise.all([store.close(), database.close()]);
};
