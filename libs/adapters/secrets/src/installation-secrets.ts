import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';

export type InstallationSecrets = { readonly secretsKey: string; readonly innerSecret: string };

const isSecret = (value: unknown): value is string => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);

/**
 * The secrets of an installation that was given none: made once, kept in the data directory for its owner alone. Losing
 * the file loses the plugin credentials that were sealed with it, nothing else.
 */
export const installationSecrets = (dataDirectory: string): InstallationSecrets => {
  const file = path.join(dataDirectory, 'secrets.json');
  if (existsSync(file)) {
    const { secretsKey, innerSecret } = JSON.parse(readFileSync(file, 'utf8')) as Partial<Record<string, unknown>>;
    if (!isSecret(secretsKey) || !isSecret(innerSecret))
      throw new Error(`${file} does not hold two secrets of 32 bytes in hex`);
    return { secretsKey, innerSecret };
  }
  const secrets = { secretsKey: randomBytes(32).toString('hex'), innerSecret: randomBytes(32).toString('hex') };
  const partial = `${file}.${process.pid}`;
  writeFileSync(partial, JSON.stringify(secrets), { mode: 0o600 });
  renameSync(partial, file);
  return secrets;
};
