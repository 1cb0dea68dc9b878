import { type EventStore, type PublicEvent, accept, defineSchema, memoryEventStore } from '@billstream/event-sourcing';
import { type RequestContext, RequestCtx, commandContext, innerHeaders, unwrap } from '@billstream/http';
import { type Instant, derivedId, epochMs, instantOfMs, newId } from '@billstream/kernel';
import { silentLogger } from '@billstream/observability';
import { type DueItem, type ReadModel, dueWorkDdl, schedule, unschedule } from '@billstream/postgres';
import { type Bus, inProcessBus } from '@billstream/rabbitmq';
import { Body, Controller, Get, Inject, Param, Post } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { IsInt } from 'class-validator';
import { eventually, testDatabase, type TestDatabase } from '@billstream/testing';
import { listenerOf } from './audience';
import type { ServiceDefinition, ServiceRuntime, Settings } from './service';
import { type RunningService, startService } from './start-service';

type Opened = { readonly type: 'Opened'; readonly data: { readonly id: string } };
type Moved = { readonly type: 'Moved'; readonly data: { readonly tenantId: string; readonly distanceMs: number } };
type Fact = Opened | Moved;
const facts = defineSchema<Fact>({ Opened: 'account.opened.v1', Moved: 'account.clock-moved.v1' });
const recorder = { initial: null, decide: (event: Fact) => accept(event), evolve: () => null };

const runtimeToken = 'runtime';
const provided = (runtime: ServiceRuntime) => [{ provide: runtimeToken, useValue: runtime }];
class Module {}

@Controller('1.0/kb/accounts')
class OpenAccount {
  constructor(@Inject(runtimeToken) private readonly runtime: ServiceRuntime) {}
  @Post(':id') async open(@Param('id') id: string, @RequestCtx() request: RequestContext) {
    const handle = this.runtime.handle(recorder, facts);
    const result = await handle(
      `account-${id}`,
      { type: 'Opened', data: { id } },
      commandContext(request, this.runtime.clock),
    );
    await this.runtime.visible(unwrap(result, () => ({ status: 409, code: 'never', detail: '' })).position);
    return { revision: String(unwrap(result, () => ({ status: 409, code: 'never', detail: '' })).revision) };
  }
  @Get(':id') async look(@Param('id') id: string) {
    return (await this.runtime.database.query('select id from opened where id = $1', [id])).length;
  }
}

class ClockRequest {
  @IsInt() readonly distanceMs!: number;
}
@Controller('internal/move')
class MoveClock {
  constructor(@Inject(runtimeToken) private readonly runtime: ServiceRuntime) {}
  @Post() async move(@Body() { distanceMs }: ClockRequest, @RequestCtx() request: RequestContext) {
    const event: Moved = { type: 'Moved', data: { tenantId: request.tenantId, distanceMs } };
    const result = await this.runtime.handle(recorder, facts)(
      `account-clock`,
      event,
      commandContext(request, this.runtime.clock),
    );
    await this.runtime.visible(unwrap(result, () => ({ status: 409, code: 'never', detail: '' })).position);
    return { now: this.runtime.clock.now(request.tenantId) };
  }
}

const opened: ReadModel = {
  name: 'opened',
  tables: ['opened'],
  ddl: 'create table opened (id text primary key);',
  prefixes: ['account-'],
  apply: async (tx, events) => {
    const ids = events.flatMap((event) => (facts.decode(event)?.type === 'Opened' ? [event.stream.slice(8)] : []));
    await tx.query('insert into opened select distinct unnest($1::text[]) on conflict do nothing', [ids]);
  },
};

const accounts: ServiceDefinition = {
  name: 'accounts',
  streams: ['account-'],
  readModels: [opened],
  publication: (recorded) => {
    const fact = facts.decode(recorded);
    if (fact?.type === 'Moved') return [{ type: 'accounts.clock-moved.v1', key: fact.data.tenantId, data: fact.data }];
    return fact ? [{ type: 'accounts.account-created.v1', key: fact.data.id, data: fact.data }] : [];
  },
  hears: [],
  module: (runtime) => ({ module: Module, controllers: [OpenAccount, MoveClock], providers: provided(runtime) }),
};

type Billed = { readonly type: 'Heard' | 'Billed'; readonly data: { readonly id: string; readonly dueAt: Instant } };
const billing = defineSchema<Billed>({ Heard: 'bill.heard.v1', Billed: 'bill.billed.v1' });
const biller = {
  initial: [] as readonly string[],
  decide: (event: Billed, seen: readonly string[]) => (seen.includes(event.type) ? { events: [] } : accept(event)),
  evolve: (seen: readonly string[], event: Billed) => [...seen, event.type],
};
const hour = 3_600_000;

@Controller()
class Reactions {
  constructor(@Inject(runtimeToken) private readonly runtime: ServiceRuntime) {}
  @EventPattern('accounts.account-created.v1')
  async hear(@Payload() event: PublicEvent<string, { id: string }>): Promise<void> {
    const dueAt = instantOfMs(epochMs(event.at) + hour);
    await this.runtime.handle(biller, billing)(
      `bill-${event.data.id}`,
      { type: 'Heard', data: { id: event.data.id, dueAt } },
      reaction(event.tenantId, event.id),
    );
  }
}
const reaction = (tenantId: string, ...parts: string[]) => ({
  commandId: derivedId(...parts),
  tenantId,
  actor: { createdBy: 'test' },
  at: instantOfMs(0),
  correlationId: newId(),
});

const bills: ReadModel = {
  name: 'bills',
  tables: ['due_work', 'bills'],
  ddl: `${dueWorkDdl} create table bills (id text primary key);`,
  prefixes: ['bill-'],
  apply: async (tx, events) => {
    for (const recorded of events) {
      const event = billing.decode(recorded);
      if (!event) continue;
      const { id, dueAt } = event.data;
      if (event.type === 'Heard')
        await schedule(tx, [{ tenantId: recorded.metadata.tenantId, kind: 'bill', key: id, dueAt, payload: {} }]);
      else {
        await unschedule(tx, [{ kind: 'bill', key: id }]);
        await tx.query('insert into bills values ($1)', [id]);
      }
    }
  },
};

const invoicing: ServiceDefinition = {
  name: 'invoicing',
  streams: ['bill-'],
  readModels: [bills],
  publication: () => [],
  hears: ['accounts'],
  dueWork: (runtime) => ({
    bill: async ({ key, dueAt, tenantId }: DueItem) => {
      await runtime.handle(biller, billing)(
        `bill-${key}`,
        { type: 'Billed', data: { id: key, dueAt } },
        reaction(tenantId, 'bill', key, dueAt),
      );
    },
  }),
  module: (runtime) => ({ module: Module, controllers: [Reactions], providers: provided(runtime) }),
};

const settings: Settings = {
  embedded: true,
  testClock: true,
  administrator: null,
  bootstrapTenant: null,
  secretsKey: '5a'.repeat(32),
  dataDirectory: '',
  payPalMode: 'emulator',
  emulatorUrl: '',
  publicUrl: '',
};
const headers = {
  [innerHeaders.secret]: 'inner-secret',
  [innerHeaders.tenant]: 'tenant-1',
  [innerHeaders.user]: 'admin',
  'x-killbill-createdby': 'ann',
  'content-type': 'application/json',
};

let test: TestDatabase;
let store: EventStore;
let bus: Bus;
let services: readonly RunningService[];
const up = async (): Promise<void> => {
  bus = inProcessBus({ listeners: [listenerOf(accounts), listenerOf(invoicing)] });
  const parts = { store, databaseUrl: test.url, bus, settings, logger: silentLogger(), innerSecret: 'inner-secret' };
  services = [await startService(accounts, parts), await startService(invoicing, { ...parts, port: 0 })];
};
const down = async (): Promise<void> => {
  await Promise.all(services.map((service) => service.stop()));
  await bus.close();
};

beforeAll(async () => {
  test = await testDatabase();
  store = memoryEventStore();
  await up();
});
afterAll(async () => {
  await down();
  await test.drop();
});

const call = async (url: string, payload?: object) => {
  const options = { url, headers, ...(payload ? { method: 'POST' as const, payload } : {}) };
  return services[0]!.fastify.inject(options);
};
const settled = async (tenantId?: string): Promise<boolean> => {
  const { position } = await services[0]!.internal.fence();
  await eventually(async () => {
    const states = await Promise.all(services.map(({ internal }) => internal.settled(position, tenantId)));
    return states.every(({ relay, projections, heard, due }) => relay && projections && heard && due === 0);
  });
  return services[0]!.internal.quiet(position, tenantId);
};
const billed = async (): Promise<unknown[]> => {
  const rows = await services[1]!.runtime.database.query<{ id: string }>('select id from bills order by id');
  return rows.map(({ id }) => id);
};

describe('services of one process', () => {
  it('show what was just written, and tell others', async () => {
    expect((await call('/1.0/kb/accounts/a1', {})).json()).toEqual({ revision: '0' });
    expect((await call('/1.0/kb/accounts/a1')).body).toBe('1');
    while (!(await settled('tenant-1')));
    const due = await services[1]!.internal.dueAt('tenant-1', instantOfMs(Date.now() + 2 * hour));
    expect(epochMs(due!) - Date.now()).toBeGreaterThan(hour - 60_000);
    expect(await billed()).toEqual([]);
  });

  it('do what is due when the test clock of the tenant gets there', async () => {
    const moved = await call('/internal/move', { distanceMs: 2 * hour });
    expect(epochMs(moved.json<{ now: Instant }>().now) - Date.now()).toBeGreaterThan(hour);
    await eventually(async () => (await billed()).length === 1);
    while (!(await settled('tenant-1')));
    expect(await billed()).toEqual(['a1']);
    expect(services[1]!.runtime.clock.now('tenant-2') < services[1]!.runtime.clock.now('tenant-1')).toBe(true);
  });

  it('answer the gateway, and health to everybody, over a socket too', async () => {
    const { url } = services[1]!;
    expect((await fetch(`${url!}/health/live`)).status).toBe(200);
    expect(await (await fetch(`${url!}/health/ready`)).json()).toMatchObject({
      ready: true,
      checks: { database: 'up', bus: 'up' },
    });
    expect((await fetch(`${url!}/internal/progress`)).status).toBe(401);
    const state = await fetch(`${url!}/internal/progress`, { headers });
    expect(await state.json()).toMatchObject({
      service: 'invoicing',
      partitionsSubscribed: 4,
      projections: { isActive: true },
    });
    expect((await call('/internal/settled?fence=x')).json()).toMatchObject({
      status: 400,
      errors: [{ pointer: 'query:fence' }],
    });
    expect((await call('/internal/quiet?after=999999&tenantId=tenant-1')).json()).toEqual({ quiet: true });
    const api = (await call('/internal/openapi')).json<{
      paths: object;
      components: { schemas: Record<string, unknown> };
    }>();
    expect(Object.keys(api.paths)).toContain('/1.0/kb/accounts/{id}');
    expect(api.components.schemas['ClockRequest']).toMatchObject({ required: ['distanceMs'] });
  });

  it('go on after a restart, with the clocks where they were', async () => {
    await down();
    await up();
    expect(epochMs(services[1]!.runtime.clock.now('tenant-1')) - Date.now()).toBeGreaterThan(hour);
    await call('/1.0/kb/accounts/a2', {});
    await eventually(
      async () =>
        (await services[1]!.runtime.database.query('select from due_work')).length + (await billed()).length === 2,
    );
    expect((await call('/1.0/kb/accounts/a2')).body).toBe('1');
  });
});
