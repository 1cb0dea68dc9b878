import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

const version = 'v1';
const algorithm = 'aes-256-gcm';
const nonceBytes = 12;

/**
 * Seals a text so that it may lie in the log: AES-256-GCM with a random nonce. `boundTo` names what the text belongs to
 * (for a plugin's configuration `<tenantId>/<pluginName>`); it is authenticated, not stored, so a sealed text copied to
 * another tenant or plugin does not open. `key` is 32 bytes in hex, as `Settings.secretsKey` is.
 */
export const seal = (key: string, text: string, boundTo: string): string => {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv(algorithm, keyBytes(key), nonce).setAAD(Buffer.from(boundTo));
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return [
    version,
    nonce.toString('base64url'),
    cipher.getAuthTag().toString('base64url'),
    sealed.toString('base64url'),
  ].join('.');
};

/** The text that was sealed with this key and bound to this name; throws when either is another, or a byte has changed. */
export const open = (key: string, sealed: string, boundTo: string): string => {
  const [form, nonce, tag, body] = sealed.split('.');
  if (form !== version || nonce === undefined || tag === undefined || body === undefined)
    throw new TypeError('not a sealed text');
  const bytes = Buffer.from(tag, 'base64url');
  if (bytes.length !== 16) throw new TypeError('a sealed text carries a tag of 16 bytes');
  const decipher = createDecipheriv(algorithm, keyBytes(key), Buffer.from(nonce, 'base64url'));
  decipher.setAAD(Buffer.from(boundTo)).setAuthTag(bytes);
  return Buffer.concat([decipher.update(Buffer.from(body, 'base64url')), decipher.final()]).toString('utf8');
};

const keyBytes = (key: string): Buffer => {
  if (!/^[0-9a-f]{64}$/i.test(key))
    throw new RangeError('the secrets key is 32 bytes, written as 64 hexadecimal digits');
  return Buffer.from(key, 'hex');
};
