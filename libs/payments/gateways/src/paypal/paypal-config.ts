import { parse } from 'yaml';

export type PayPalConfig = {
  readonly login: string;
  readonly password: string;
  readonly signature: string;
  readonly test: boolean;
};

const TEXT_MAX = 10_000;

/**
 * Reads the plugin configuration a tenant uploads: YAML whose keys are Ruby symbols. The problem names a key, never a
 * value, since it ends up in an answer and in logs.
 */
export const parsePayPalConfig = (text: string): PayPalConfig | { readonly problem: string } => {
  if (text.length > TEXT_MAX) return { problem: 'the configuration is too long' };
  const root = parseYaml(text);
  if (!isRecord(root)) return { problem: 'the configuration is not a YAML mapping' };
  const section = pick(root, 'paypal_express');
  const account: unknown = Array.isArray(section) ? section[0] : section;
  if (!isRecord(account)) return { problem: ':paypal_express: is missing or not a mapping' };
  const [login, password, signature] = [
    secret(account, 'login'),
    secret(account, 'password'),
    secret(account, 'signature'),
  ];
  if (login === undefined) return { problem: ':login: is missing' };
  if (password === undefined) return { problem: ':password: is missing' };
  if (signature === undefined) return { problem: ':signature: is missing' };
  const test = pick(account, 'test') ?? true;
  return typeof test === 'boolean' ? { login, password, signature, test } : { problem: ':test: is not true or false' };
};

const parseYaml = (text: string): unknown => {
  try {
    // Every scalar stays text except true and false: a password of digits must keep its leading zero.
    return parse(text, { schema: 'failsafe', maxAliasCount: 0 });
  } catch {
    return undefined;
  }
};

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const pick = (record: Readonly<Record<string, unknown>>, name: string): unknown => {
  const value = record[`:${name}`] ?? record[name];
  if (name !== 'test' || typeof value !== 'string') return value;
  return value === 'true' || value === 'false' ? value === 'true' : value;
};

const secret = (record: Readonly<Record<string, unknown>>, name: string): string | undefined => {
  const value = pick(record, name);
  return typeof value === 'string' && value.trim() !== '' ? value : undefined;
};
