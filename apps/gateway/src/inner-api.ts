import { innerHeaders } from '@billstream/http';
import { type Instant, newId, parseInstant } from '@billstream/kernel';
import type { Dispatch, Upstreams } from './dispatch';

/** What the gateway asks the services itself, beside what it forwards. */
export type InnerApi = {
  authenticate(credentials: Credentials): Promise<Identity>;
  clock(tenantId: string): Promise<TenantClock>;
  /** `heldBack`: due work after the one instant and up to the other waits for a later move. */
  moveClock(tenantId: string, distanceMs: number, heldBack?: HeldBack): Promise<void>;
  /** Appends a mark to the log and says where it stands. */
  fence(tenantId: string): Promise<string>;
  /** Whether every service has done everything that the log up to the fence asks for, at the tenant's clock. */
  settled(tenantId: string, fence: string): Promise<boolean>;
  /** Whether nothing but fences followed in the log. */
  quiet(tenantId: string, fence: string): Promise<boolean>;
  /** When the next thing falls due in any service, up to that instant; null: nothing. */
  nextDue(tenantId: string, until: Instant): Promise<Instant | null>;
  /** Due work that keeps failing and that nobody waits for any longer, in all services. */
  failing(tenantId: string): Promise<readonly FailingWork[]>;
};

/** `key` names what it is about, an account or an invoice for instance; `error`: why it failed the last time. */
export type FailingWork = {
  readonly service: string;
  readonly kind: string;
  readonly key: string;
  readonly dueAt: string;
  readonly error: string;
};

/** `distanceMs`: milliseconds from wall time to the tenant's business time. `heldUntil`: up to there due work is held back. */
export type TenantClock = { readonly distanceMs: number; readonly heldUntil: Instant | null };
export type HeldBack = { readonly after: Instant; readonly until: Instant };

export type Credentials = {
  readonly user: string | null;
  readonly password: string | null;
  readonly apiKey: string | null;
  readonly apiSecret: string | null;
};

export type Identity = {
  readonly user: string | null;
  readonly tenantId: string | null;
  /** What the user may do. */
  readonly permissions: readonly string[];
  readonly problems: readonly string[];
};

export const innerApi = (upstreams: Upstreams, innerSecret: string): InnerApi => {
  const services = Object.values(upstreams);
  const ask = (service: Dispatch, path: string, body?: object) =>
    askInner(service, { innerSecret, path, ...(body === undefined ? {} : { body }) });
  const { accounts } = upstreams;
  const tenant = (tenantId: string): string => `tenantId=${encodeURIComponent(tenantId)}`;
  return {
    authenticate: async (credentials) => {
      const { user, tenantId, permissions, problems } = await ask(accounts, '/internal/authenticate', credentials);
      return {
        user: textOr(user),
        tenantId: textOr(tenantId),
        permissions: textsIn(permissions),
        problems: textsIn(problems),
      };
    },
    clock: async (tenantId) => {
      const { distanceMs, heldUntil } = await ask(accounts, `/internal/clock?${tenant(tenantId)}`);
      return { distanceMs: Number(distanceMs ?? 0), heldUntil: instantOr(heldUntil) };
    },
    moveClock: async (tenantId, distanceMs, heldBack) => {
      const held = heldBack === undefined ? {} : { heldAfter: heldBack.after, heldUntil: heldBack.until };
      await ask(accounts, '/internal/clock', { tenantId, distanceMs, ...held });
    },
    fence: async (tenantId) => String((await ask(accounts, '/internal/fence', { tenantId }))['position']),
    settled: async (tenantId, fence) => {
      const answers = await Promise.all(
        services.map((service) => ask(service, `/internal/settled?fence=${fence}&${tenant(tenantId)}`)),
      );
      return answers.every(
        ({ relay, projections, heard, due }) => relay === true && projections === true && heard === true && due === 0,
      );
    },
    quiet: async (tenantId, fence) =>
      (await ask(accounts, `/internal/quiet?after=${fence}&${tenant(tenantId)}`))['quiet'] === true,
    nextDue: async (tenantId, until) => {
      const path = `/internal/due?${tenant(tenantId)}&until=${encodeURIComponent(until)}`;
      const answers = await Promise.all(services.map((service) => ask(service, path)));
      const dates = answers.map(({ dueAt }) => instantOr(dueAt)).filter((at) => at !== null);
      return dates.sort()[0] ?? null;
    },
    failing: async (tenantId) => {
      const answers = await Promise.all(
        Object.entries(upstreams).map(async ([name, service]) => {
          const { failing } = await ask(service, `/internal/failing?${tenant(tenantId)}`);
          return Array.isArray(failing) ? failing.map((work: unknown) => failingIn(name, work)) : [];
        }),
      );
      return answers.flat();
    },
  };
};

type Ask = { readonly innerSecret: string; readonly path: string; readonly body?: object };

/** A service's answer to an inner question; a refusal is a fault of the house. */
const askInner = async (service: Dispatch, { innerSecret, path, body }: Ask): Promise<Record<string, unknown>> => {
  const headers = {
    [innerHeaders.secret]: innerSecret,
    [innerHeaders.correlation]: newId(),
    'content-type': 'application/json',
  };
  const answer =
    body === undefined
      ? await service.call({ method: 'GET', path, headers })
      : await service.call({ method: 'POST', path, headers, body: JSON.stringify(body) });
  const text = answer.body.toString('utf8');
  if (answer.status >= 300) throw new Error(`${path} answered ${answer.status}: ${text.slice(0, 500)}`);
  const value: unknown = JSON.parse(text);
  return typeof value === 'object' && value !== null ? { ...value } : { quiet: value };
};

const failingIn = (service: string, work: unknown): FailingWork => {
  const of = (name: string): string =>
    typeof work === 'object' && work !== null
      ? String(Object.entries(work).find(([key]) => key === name)?.[1] ?? '')
      : '';
  return { service, kind: of('kind'), key: of('key'), dueAt: of('dueAt'), error: of('error') };
};

const textsIn = (value: unknown): readonly string[] => (Array.isArray(value) ? value.map(String) : []);
const instantOr = (value: unknown): Instant | null => (typeof value === 'string' ? parseInstant(value) : null);
const textOr = (value: unknown): string | null => (typeof value === 'string' ? value : null);
