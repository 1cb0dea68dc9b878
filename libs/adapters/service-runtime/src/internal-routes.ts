import { ProblemException, fastifyOf, openApiOf } from '@billstream/http';
import { type Instant, parseInstant } from '@billstream/kernel';
import type { FailingWork } from '@billstream/postgres';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';

/** Whether everything that was published or recorded before a fence has had its effect in this service. */
export type Settled = {
  /** The relay has passed the fence: all before it is with the bus. */
  readonly relay: boolean;
  /** The read models have passed it. */
  readonly projections: boolean;
  /** Everything that the contexts it hears published before the fence has been handled. */
  readonly heard: boolean;
  /** Due now by the tenant's clock or being worked on, of the tenant asked for; 0 without a tenant. Whole once the others are true. */
  readonly due: number;
  /** Events appended by this process since its start: unchanged between two fences means that nothing went on. */
  readonly appended: number;
};

export type ServiceState = {
  readonly service: string;
  readonly relay: {
    readonly position: string | null;
    readonly caughtUp: boolean;
    readonly lagMs: number;
    readonly messages: number;
  };
  readonly projections: {
    readonly position: string;
    readonly caughtUp: boolean;
    readonly lagMs: number;
    readonly events: number;
    readonly isActive: boolean;
  };
  /** Fence positions met, by context and partition. */
  readonly heard: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly partitionsSubscribed: number;
  readonly dueRunning: number;
  readonly appended: number;
};

export type Readiness = { readonly ready: boolean; readonly checks: Readonly<Record<string, string>> };

/** What the platform itself asks of a service; the same functions serve the process that runs all services. */
export type InternalFace = {
  state(): ServiceState;
  fence(): Promise<{ readonly fenceId: string; readonly position: bigint }>;
  settled(fence: bigint, tenantId?: string): Promise<Settled>;
  /** Earliest due date of the tenant up to that instant, in the past too; null: nothing. */
  dueAt(tenantId: string, until: Instant): Promise<Instant | null>;
  /** The tenant's due work that keeps failing and is not waited for. */
  failing(tenantId: string): Promise<readonly FailingWork[]>;
  /** Whether nothing of the tenant but fences stands in the log after a position; of any tenant when none is named. */
  quiet(after: bigint, tenantId?: string): Promise<boolean>;
  readiness(): Promise<Readiness>;
};

type Query = Readonly<Record<string, string | undefined>>;

/** `/health/…` for whoever runs the process, `/internal/…` for the gateway; the inner secret is asked for before. */
export const addInternalRoutes = (app: NestFastifyApplication, name: string, face: InternalFace): void => {
  const server = fastifyOf(app);
  server.get('/health/live', () => ({ status: 'up' }));
  server.get('/health/ready', async (_, reply) => {
    const readiness = await face.readiness();
    return reply.status(readiness.ready ? 200 : 503).send(readiness);
  });
  server.get('/internal/progress', () => face.state());
  server.post('/internal/fence', async () => {
    const { fenceId, position } = await face.fence();
    return { fenceId, position: String(position) };
  });
  server.get<{ Querystring: Query }>('/internal/settled', ({ query }) =>
    face.settled(positionIn(query, 'fence'), query['tenantId']),
  );
  server.get<{ Querystring: Query }>('/internal/due', async ({ query }) => {
    const until = parseInstant(query['until'] ?? '');
    if (until === null) throw wrongQuery('until', 'must be an instant');
    return { dueAt: await face.dueAt(tenantIn(query), until) };
  });
  server.get<{ Querystring: Query }>('/internal/failing', async ({ query }) => ({
    failing: await face.failing(tenantIn(query)),
  }));
  server.get<{ Querystring: Query }>('/internal/quiet', async ({ query }) => ({
    quiet: await face.quiet(positionIn(query, 'after'), query['tenantId']),
  }));
  server.get('/internal/openapi', () => openApiOf(app, name));
};

const tenantIn = ({ tenantId }: Query): string => {
  if (tenantId === undefined || tenantId === '') throw wrongQuery('tenantId', 'is missing');
  return tenantId;
};

const positionIn = (query: Query, name: string): bigint => {
  const text = query[name] ?? '';
  if (!/^\d{1,20}$/.test(text)) throw wrongQuery(name, 'must be a position of the log');
  return BigInt(text);
};

const wrongQuery = (name: string, message: string): ProblemException =>
  new ProblemException({
    status: 400,
    code: 'invalid-request',
    detail: `query:${name} ${message}`,
    errors: [{ pointer: `query:${name}`, code: 'invalid', message }],
  });
