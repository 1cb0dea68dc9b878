import { randomBytes } from 'node:crypto';
import type { Answer } from '../core/http-answer';
import { shortMessage } from './nvp-errors';

export type NvpFields = Readonly<Record<string, string | undefined>>;

export type NvpReply =
  | { readonly fields: NvpFields; readonly warnings: readonly string[] }
  | { readonly error: string; readonly detail?: string };

export const success = (fields: NvpFields, ...warnings: readonly string[]): NvpReply => ({ fields, warnings });

export const failure = (error: string, detail?: string): NvpReply => ({ error, ...(detail ? { detail } : {}) });

type Requirement = readonly [met: boolean, code: string, detail?: string];

/** The first requirement that is not met, as PayPal reports one cause and not a list. */
export const firstRefusal = (requirements: readonly Requirement[]): NvpReply | undefined => {
  const [, code, detail] = requirements.find(([met]) => !met) ?? [];
  return code === undefined ? undefined : failure(code, detail);
};

type Frame = { readonly version: string; readonly now: number };

/** HTTP 200 whatever happened; the verdict is ACK. The content type is PayPal's own oddity. */
export const toAnswer = (reply: NvpReply, { version, now }: Frame): Answer => {
  const failed = 'error' in reply;
  const notes = failed ? [reply.error] : reply.warnings;
  const pairs = new URLSearchParams();
  const put = (name: string, value: string | undefined): void => {
    if (value !== undefined) pairs.append(name, value);
  };
  if (!failed) Object.entries(reply.fields).forEach(([name, value]) => put(name, value));
  put('TIMESTAMP', instant(now));
  put('CORRELATIONID', randomBytes(7).toString('hex').slice(0, 13));
  put('ACK', failed ? 'Failure' : notes.length > 0 ? 'SuccessWithWarning' : 'Success');
  put('VERSION', version);
  put('BUILD', '00000000');
  notes.forEach((code, index) => {
    put(`L_ERRORCODE${index}`, code);
    put(`L_SHORTMESSAGE${index}`, shortMessage(code));
    put(`L_LONGMESSAGE${index}`, (failed && reply.detail) || `${shortMessage(code)}.`);
    put(`L_SEVERITYCODE${index}`, failed ? 'Error' : 'Warning');
  });
  return { status: 200, headers: { 'content-type': 'application/octet-stream' }, body: pairs.toString() };
};

export const instant = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;
