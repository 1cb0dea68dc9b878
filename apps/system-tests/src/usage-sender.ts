/**
 * A program that uses the metering client as fast as it can until it is killed. Each line it prints is the id of a record
 * that `record` has answered. Arguments: URL, directory, name of this run.
 */
import { openMeteringClient } from '@billstream/metering-client';

const [url = '', directory = '', run = ''] = process.argv.slice(2);
const askedAtOnce = 20;
const pauseMs = 2;

const main = async (): Promise<void> => {
  const client = await openMeteringClient({
    ...{ url, directory, source: 'sender' },
    credentials: { user: 'admin', password: 'password', apiKey: 'admin', apiSecret: 'password' },
    // Small segments and batches: more of the moments at which a crash could harm.
    spool: { segmentBytes: 128 * 1024, bytesMax: 64 * 1024 * 1024 },
    shipping: { batchMax: 50, lingerMs: 5, retryMs: 20, retryMaxMs: 200, timeoutMs: 2_000 },
  });
  let sent = 0;
  const send = async (): Promise<void> => {
    for (;;) {
      const id = `${run}-${sent}`;
      const amount = 1 + (sent % 7);
      sent += 1;
      await client.record({ unit: 'analytics', user: `user ${sent % 5}`, amount, id, dimensions: { id } });
      console.log(id);
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  };
  await Promise.all(Array.from({ length: askedAtOnce }, send));
};

void main();
