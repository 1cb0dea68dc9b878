import { hash, randomUUID } from 'node:crypto';
import type { Brand } from './brand';

export type TenantId = Brand<string, 'TenantId'>;
export type AccountId = Brand<string, 'AccountId'>;

/** Parses what a client sent as an id: any UUID, in lower case; null when it is none. */
export const parseUuid = (text: string): string | null =>
  /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i.test(text) ? text.toLowerCase() : null;

/** A fresh random id (UUID v4). Only edges call it: a decision derives its ids from its command. */
export const newId = (): string => randomUUID();

/**
 * The UUID that these parts always give (SHA-256, marked as version 8 of RFC 9562), so that a repeated decision names
 * the same things. Parts are length-prefixed: ('ab', 'c') and ('a', 'bc') differ.
 */
export const derivedId = (...parts: readonly string[]): string => {
  const hex = digest(parts.map((part) => `${part.length}:${part};`).join(''));
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 0x3) | 0x8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
};

/** SHA-256 of a text, in hex: names a unique key in a stream name, or a request body beside its idempotency key. */
export const digest = (text: string): string => hash('sha256', text);
