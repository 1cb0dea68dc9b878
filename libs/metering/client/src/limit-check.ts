import { type Api, asError } from './billstream-api';
import { type KnownUser, type UnitLimit, applyChange, isOver, knownUntilMs } from './known-limits';
import { type LimitChange, listenToLimits } from './limit-stream';
import type { LimitOptions } from './options';
import { requestUserLimits } from './user-limits-request';

/** Whether a user may use a unit, and how much that is worth. Amounts are exact decimals, as text. */
export type LimitVerdict = {
  readonly user: string;
  readonly unit: string;
  readonly allowed: boolean;
  /** `RELEASED`, too, where nothing limits the user; null: nothing was ever known. */
  readonly state: 'LIMITED' | 'RELEASED' | null;
  /** At or above the limit. A user is limited above it. */
  readonly exhausted: boolean;
  readonly current: string | null;
  readonly limit: string | null;
  readonly remaining: string | null;
  readonly resetAt: string | null;
  /** When the counters were read; between two readings only the state is kept up to date. */
  readonly countedAt: string | null;
  /** Every change of state that was told up to this instant is in the verdict. */
  readonly asOf: string | null;
  /** `asOf` is older than `staleAfterMs`, or nothing is known. */
  readonly stale: boolean;
  /** `MEMORY`: nobody was asked; `SERVER`: the server was; `POLICY`: it did not answer, and `whenUnavailable` decided. */
  readonly basis: 'MEMORY' | 'SERVER' | 'POLICY';
};

export type LimitCheck = {
  check(user: string, unit: string): Promise<LimitVerdict>;
  stop(): void;
};

type Asking = { readonly answer: Promise<KnownUser | null>; readonly changes: LimitChange[] };

/** After a failure nobody asks for this long: an outage must not cost every check its timeout. */
const failurePauseMs = 1_000;

/**
 * Answers from memory. What is remembered of a user is asked for at the first check, kept up to date by the stream of
 * changes, and asked for again behind a check's back when its counters are old.
 */
export const limitCheck = (api: Api, options: Required<LimitOptions>, onError: (error: Error) => void): LimitCheck => {
  const users = new Map<string, KnownUser>();
  const asked = new Map<string, Asking>();
  const stream = lazily(() =>
    listenToLimits({
      ...{ api, onError },
      onChange: (change) => {
        const known = users.get(change.user);
        if (known !== undefined) applyChange(known, change);
        asked.get(change.user)?.changes.push(change);
      },
    }),
  );
  const remember = (user: string, known: KnownUser): void => {
    users.delete(user);
    users.set(user, known);
    if (users.size > options.usersMax) users.delete(users.keys().next().value ?? '');
  };
  const ask = async (user: string, changes: readonly LimitChange[]): Promise<KnownUser> => {
    const connection = stream.get().current();
    const known = { ...(await knownOf(api, user, options.timeoutMs)), connection };
    for (const change of changes) applyChange(known, change);
    remember(user, known);
    return known;
  };
  const askOnce = asking(asked, ask, onError);
  const isFresh = (known: KnownUser): boolean => Date.now() - knownUntilMs(known) <= options.staleAfterMs;
  const isWorthAsking = (known: KnownUser): boolean =>
    known.isChanged ||
    Date.now() - known.countedAtMs > options.staleAfterMs ||
    stream.get().current() !== known.connection;

  return {
    check: async (user, unit) => {
      const known = users.get(user);
      if (known !== undefined && isFresh(known)) {
        const limit = known.units.get(unit);
        const isPast = limit !== undefined && isOver(limit, known, Date.now());
        if (!isPast || limit.state === 'RELEASED') {
          remember(user, known);
          if (isPast || isWorthAsking(known)) void askOnce(user);
          return verdictOf({ user, unit, known, basis: 'MEMORY', stale: false });
        }
      }
      const told = await askOnce(user);
      if (told !== null) return verdictOf({ user, unit, known: told, basis: 'SERVER', stale: !isFresh(told) });
      const verdict = verdictOf({ user, unit, known: known ?? null, basis: 'POLICY', stale: true });
      return { ...verdict, allowed: allowedBy(options.whenUnavailable, verdict) };
    },
    stop: () => stream.made()?.stop(),
  };
};

const lazily = <Value>(make: () => Value) => {
  let value: Value | null = null;
  return { get: (): Value => (value ??= make()), made: (): Value | null => value };
};

const knownOf = async (api: Api, user: string, timeoutMs: number): Promise<Omit<KnownUser, 'connection'>> => {
  const beganMs = Date.now();
  const { units, atMs, uncountedMs } = await requestUserLimits(api, user, beganMs + timeoutMs);
  return { units, countedAtMs: beganMs - uncountedMs, clockAheadMs: atMs - Date.now(), isChanged: false };
};

/** Null: the server did not answer. However many check a user at once, it is asked once. */
const asking = (
  asked: Map<string, Asking>,
  ask: (user: string, changes: readonly LimitChange[]) => Promise<KnownUser>,
  onError: (error: Error) => void,
): ((user: string) => Promise<KnownUser | null>) => {
  let quietUntilMs = 0;
  return (user) => {
    const under = asked.get(user);
    if (under !== undefined) return under.answer;
    if (Date.now() < quietUntilMs) return Promise.resolve(null);
    const changes: LimitChange[] = [];
    const answer = ask(user, changes)
      .catch((error: unknown) => {
        quietUntilMs = Date.now() + failurePauseMs;
        onError(asError(error));
        return null;
      })
      .finally(() => asked.delete(user));
    asked.set(user, { answer, changes });
    return answer;
  };
};

type Seen = Pick<LimitVerdict, 'user' | 'unit' | 'basis' | 'stale'> & { readonly known: KnownUser | null };

const verdictOf = ({ known, ...about }: Seen): LimitVerdict => {
  if (known === null) return { ...about, ...unknown };
  return {
    ...about,
    ...partsOf(known.units.get(about.unit)),
    countedAt: new Date(known.countedAtMs).toISOString(),
    asOf: new Date(knownUntilMs(known)).toISOString(),
  };
};

type Parts = Omit<LimitVerdict, keyof Omit<Seen, 'known'> | 'countedAt' | 'asOf'>;

/** The server names only the units that limit the user. */
const partsOf = (limit: UnitLimit | undefined): Parts => {
  if (limit === undefined) return { ...unlimited, state: 'RELEASED' };
  const { state, exhausted, current, limit: amount, remaining, resetAt } = limit;
  return { allowed: state !== 'LIMITED', state, exhausted, current, limit: amount, remaining, resetAt };
};

const unlimited = { allowed: true, exhausted: false, current: null, limit: null, remaining: null, resetAt: null };
const unknown = { ...unlimited, state: null, countedAt: null, asOf: null };

const allowedBy = (policy: Required<LimitOptions>['whenUnavailable'], { allowed }: LimitVerdict): boolean =>
  policy === 'LAST_KNOWN' ? allowed : policy === 'ALLOW';
