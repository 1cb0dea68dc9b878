import { findBinaries } from './binaries';
import { prepareCluster, userName } from './cluster';
import { acquireLease } from './lease';
import { locate, type Location } from './location';
import { adoptPostmaster, logFileOf, startPostmaster, stopPostmaster, type Postmaster } from './postmaster';
import { startWatchdog, type Watchdog } from './watchdog';
import type { Binaries } from './binaries';

export type EmbeddedPostgres = {
  readonly url: string;
  readonly port: number;
  /** Whether the server was already running, left behind by a process that was killed. */
  readonly adopted: boolean;
  readonly stop: () => Promise<void>;
};

type Options = {
  readonly dataDirectory: string;
  readonly log?: (message: string) => void;
  /** Default: any free port. */
  readonly port?: number;
};

type Parts = {
  readonly location: Location;
  readonly binaries: Binaries;
  readonly watchdog: Watchdog;
  readonly port: number | undefined;
};

type Running = { readonly postmaster: Postmaster; readonly secret: string; readonly adopted: boolean };

const run = async ({ location, binaries, watchdog, port }: Parts): Promise<Running> => {
  const { data } = location;
  const secret = await prepareCluster(location, binaries);
  const orphan = await adoptPostmaster(location);
  if (orphan && (port === undefined || port === orphan.port)) {
    watchdog.watch(orphan.pid);
    return { postmaster: orphan, secret, adopted: true };
  }
  if (orphan) await stopPostmaster(orphan, data, binaries.pgCtl);
  const postmaster = await startPostmaster({ location, binaries, port, onProcess: watchdog.watch });
  return { postmaster, secret, adopted: false };
};

/**
 * Runs a real PostgreSQL server in `dataDirectory`, for one process at a time. When this process ends without `stop`,
 * however it ends, the server is stopped shortly afterwards; a process that starts sooner takes it over.
 */
export const startEmbeddedPostgres = async (options: Options): Promise<EmbeddedPostgres> => {
  const { dataDirectory, log = () => undefined, port } = options;
  const location = await locate(dataDirectory);
  const binaries = await findBinaries(location.runAs);
  const lease = await acquireLease(location.folder);
  const watchdog = startWatchdog(lease, location.data, binaries.pgCtl);
  const letGo = async (): Promise<void> => {
    await lease.release();
    watchdog.dismiss();
  };
  const { postmaster, secret, adopted } = await run({ location, binaries, watchdog, port }).catch(
    async (error: unknown) => {
      await letGo();
      throw error;
    },
  );
  log(
    `PostgreSQL ${adopted ? 'was still running' : 'started'}: process ${String(postmaster.pid)}, ` +
      `port ${String(postmaster.port)}, data in ${location.data}`,
  );
  let stopping: Promise<void> | undefined;
  postmaster.child?.once('exit', () => {
    watchdog.watch(0);
    if (!stopping) log(`PostgreSQL ended unexpectedly; ${logFileOf(location)} may say why`);
  });
  return {
    url: `postgres://${userName}:${secret}@127.0.0.1:${String(postmaster.port)}/postgres`,
    port: postmaster.port,
    adopted,
    stop: () => (stopping ??= stopPostmaster(postmaster, location.data, binaries.pgCtl).then(letGo)),
  };
};
