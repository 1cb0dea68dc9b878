import type { PublicEvent } from '@billstream/event-sourcing';
import { Controller } from '@nestjs/common';
import { Ctx, EventPattern, Payload } from '@nestjs/microservices';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { defer, delay, of, tap } from 'rxjs';
import { eventually } from '@billstream/testing';
import { BusServer, ReactionContext } from './bus-server';
import { deadLetters } from './dead-letters';
import { hostReactions } from './host-reactions';
import { event, logger, useDatabase, worldOf } from './testing/bus-world';

useDatabase();

const seen: string[] = [];

@Controller()
class Reactions {
  @EventPattern('accounts.account-updated.v1')
  async updated(@Payload() { key }: PublicEvent, @Ctx() { info }: ReactionContext): Promise<void> {
    await Promise.resolve();
    seen.push(`${key} ${info.attempt}`);
    if (key === 'away' && info.attempt === 1 && seen.length < 3)
      throw Object.assign(new Error('away'), { code: 'ECONNRESET' });
    if (key === 'bug') throw new TypeError('this is the bug');
  }

  @EventPattern('accounts.slow.v1')
  slow() {
    return defer(() => of('over')).pipe(
      delay(30),
      tap((what) => seen.push(what)),
    );
  }

  @EventPattern('accounts.failing.v1')
  failing() {
    return defer(() => {
      throw new Error('in the stream');
    });
  }
}

describe('a Nest application on the bus', () => {
  it('has its reactions called, waited for, and their errors seen as they were thrown', async () => {
    const { world, tidy } = await worldOf(null);
    const bus = await world.open({});
    const { database } = world;
    const testing = await Test.createTestingModule({ controllers: [Reactions] }).compile();
    const app = testing.createNestApplication(new FastifyAdapter());
    app.useLogger(false);
    const server = new BusServer({ bus, service: 'reader', hears: ['accounts'], database, logger, retryDelaysMs: [1] });
    hostReactions(app, server);
    await app.init();
    await app.startAllMicroservices();

    await bus.publish([event(0, 'fine'), event(1, 'away')]);
    expect(seen.toSorted()).toEqual(['away 1', 'away 1', 'fine 1']);
    await bus.publish([event(2, 's', 'accounts.slow.v1')]);
    expect(seen.at(-1)).toBe('over');
    await bus.publish([event(3, 'bug'), event(4, 'f', 'accounts.failing.v1')]);
    const letters = await deadLetters(database).list();
    expect(letters.map(({ attempts, error }) => [attempts, error])).toEqual([
      [2, 'this is the bug'],
      [2, 'in the stream'],
    ]);
    expect((await deadLetters(database).show(letters[0]!.messageId))?.stack).toContain('host-reactions.int.spec');

    await app.close();
    await eventually(() => server.subscribed() === 0);
    await tidy();
  });
});
