/** What a run plays on: one process or many, with everything a checker needs to look behind the API. */
import type { Target } from '../day/client';
import type { Line, Victim } from './chaos';

export type SystemUnderTest = {
  readonly target: Omit<Target, 'patienceMs'>;
  readonly victims: readonly Victim[];
  readonly lines: readonly Line[];
  /** Resolves when every process is up and says that it is ready. */
  recovered(): Promise<void>;
  /** Past the proxies. Ask again after a restart: the embedded parts take other ports. */
  addresses(): Promise<{ readonly databaseUrl: string; readonly eventStoreUrl: string }>;
  readonly logFolder: string;
  /** Stops everything and removes what was made for the run. */
  stop(options: { readonly keepLogs: boolean }): Promise<void>;
};

export type SystemOptions = {
  readonly databaseUrl: string | null;
  readonly rabbitMqUrl: string | null;
  /** The negative control: the services take every message and command for a new one. */
  readonly repeatsAreRecognised: boolean;
};

export const recoveryDeadlineMs = 90_000;

export const environmentOf = ({ repeatsAreRecognised }: SystemOptions): Readonly<Record<string, string>> => ({
  LOG_LEVEL: 'info',
  ...(repeatsAreRecognised ? {} : { RECOGNISE_REPEATS: '0' }),
});
