import { connect } from 'amqplib';
import { callerOf } from '../caller';
import { inLanes } from '../measure';
import type { World } from '../world';

export const connections = 16;
export const perBody = 100;

/** Sends bodies as fast as they are answered; a body that was not answered is sent again, as any client would. Gives the seconds. */
export const sendOverHttp = async (
  world: Pick<World, 'url' | 'headers'>,
  bodies: Iterable<string>,
  { isPatient = false, onAnswer }: { readonly isPatient?: boolean; readonly onAnswer?: (sent: number) => void } = {},
): Promise<number> => {
  const caller = callerOf(world, connections);
  const waiting = bodies[Symbol.iterator]();
  let sent = 0;
  const lane = async (): Promise<void> => {
    for (let next = waiting.next(); next.done !== true; next = waiting.next()) {
      const body = next.value;
      const send = () => caller.expect(202, 'POST', '/meter/record/json', body);
      await (isPatient ? untilAnswered(send) : send());
      sent += 1;
      onAnswer?.(sent);
    }
  };
  const started = performance.now();
  try {
    await Promise.all(Array.from({ length: connections }, lane));
    return (performance.now() - started) / 1000;
  } finally {
    await caller.close();
  }
};

const patienceMs = 120_000;

const untilAnswered = async (send: () => Promise<unknown>): Promise<void> => {
  for (const deadline = Date.now() + patienceMs; ;) {
    try {
      await send();
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
};

/** Publishes bodies to the exchange of usage, persistent, until the broker has confirmed the last. Gives the seconds. */
export const sendOverRabbitMq = async (url: string, tenantId: string, bodies: readonly string[]): Promise<number> => {
  const connection = await connect(url);
  try {
    const channel = await connection.createConfirmChannel();
    const publish = (body: string, number: number): Promise<void> =>
      new Promise((resolve, reject) => {
        const options = { persistent: true, contentType: 'application/json', messageId: `bench-${number}` };
        channel.publish('billstream.usage', `${tenantId}.bench`, Buffer.from(body), options, (error: unknown) => {
          if (error === null || error === undefined) resolve();
          else reject(error instanceof Error ? error : new Error('the broker refused a message'));
        });
      });
    const { seconds } = await inLanes(connections * 4, bodies.length, (piece) => publish(bodies[piece] ?? '[]', piece));
    await channel.close();
    return seconds;
  } finally {
    await connection.close();
  }
};
