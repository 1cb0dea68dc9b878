import { type MeteringClient, openMeteringClient } from '@billstream/metering-client';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { World } from '../world';

/** The client library as a program of a customer has it. */
export const clientOf = async (
  world: World,
): Promise<{ readonly client: MeteringClient; readonly close: () => Promise<void> }> => {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'billstream-bench-client-'));
  const login = Buffer.from((world.headers['authorization'] ?? '').replace('Basic ', ''), 'base64').toString('utf8');
  const colon = login.indexOf(':');
  const client = await openMeteringClient({
    url: world.url,
    credentials: {
      user: login.slice(0, colon),
      password: login.slice(colon + 1),
      apiKey: world.headers['x-killbill-apikey'] ?? '',
      apiSecret: world.headers['x-killbill-apisecret'] ?? '',
    },
    directory,
  });
  return {
    client,
    close: async () => {
      await client.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
};
