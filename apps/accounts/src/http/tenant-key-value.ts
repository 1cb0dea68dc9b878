import type { TenantConfigEvent, TenantConfigState } from '@billstream/accounts-domain';
import type { Handled } from '@billstream/event-sourcing';
import { locationOf, unwrap } from '@billstream/http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Accounts } from '../accounts';
import { invalidValue } from './problems';

/** Kill Bill's TenantKeyValue JSON. */
export const tenantKeyValueJson = (key: string, values: readonly string[]) => ({ key, values, auditLogs: [] });

/** The raw text of an upload. JSON that was parsed on the way in is written out again. */
export const textOf = (body: unknown): string => {
  const text = typeof body === 'string' ? body : body === undefined || body === null ? '' : JSON.stringify(body);
  if (text.trim() === '') throw invalidValue('the body must not be empty');
  return text;
};

/** Waits until the write can be seen; an upload says where it can be read, which is where it was sent. */
export const answerUpload = async (
  { runtime }: Accounts,
  handled: Handled<TenantConfigEvent, TenantConfigState, never>,
  upload: { readonly request: FastifyRequest; readonly reply: FastifyReply } | null,
): Promise<void> => {
  const { position } = unwrap(handled, () => invalidValue('refused'));
  await runtime.visible(position);
  if (upload === null) return;
  const [path = ''] = upload.request.url.split('?');
  void upload.reply.header('Location', locationOf(upload.request, path));
};
