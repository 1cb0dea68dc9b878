import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { connect } from 'amqplib';

const run = promisify(execFile);

export type TestBroker = {
  readonly url: string;
  /** Prefix for names: on a virtual host that other tests share it keeps them apart. */
  readonly namespace: string;
  /** What the test declared; of no interest when the virtual host was its own. */
  drop(declared: { readonly queues: readonly string[]; readonly exchanges: readonly string[] }): Promise<void>;
};

const control = (...args: readonly string[]) => run('rabbitmqctl', ['--quiet', ...args], { timeout: 30_000 });

/** True when the tests are to use a real RabbitMQ: TEST_RABBITMQ_URL names it. */
export const hasTestBroker = (): boolean => (process.env['TEST_RABBITMQ_URL'] ?? '') !== '';

/** A virtual host for one test file where `rabbitmqctl` may make one, else names of its own on the given virtual host. */
export const testBroker = async (given = process.env['TEST_RABBITMQ_URL'] ?? ''): Promise<TestBroker> => {
  const url = new URL(given);
  const name = `test_${String(process.pid)}_${randomBytes(4).toString('hex')}`;
  const user = decodeURIComponent(url.username === '' ? 'guest' : url.username);
  try {
    await control('add_vhost', name);
    await control('set_permissions', '-p', name, user, '.*', '.*', '.*');
    url.pathname = `/${name}`;
    return {
      url: url.toString(),
      namespace: name,
      drop: async () => {
        await control('delete_vhost', name);
      },
    };
  } catch {
    return {
      url: url.toString(),
      namespace: name,
      drop: async ({ queues, exchanges }) => {
        const connection = await connect(url.toString());
        const channel = await connection.createChannel();
        for (const queue of queues) await channel.deleteQueue(queue);
        for (const exchange of exchanges) await channel.deleteExchange(exchange);
        await connection.close();
      },
    };
  }
};
