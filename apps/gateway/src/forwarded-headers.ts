import { innerHeaders } from '@billstream/http';
import { newId, parseUuid } from '@billstream/kernel';
import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Caller } from './authenticate';
import { withoutHopByHop } from './dispatch';

/** X-Request-Id (or Kill Bill's older name for it) when it is a UUID, else a fresh id. */
export const correlationOf = ({ headers }: IncomingMessage): string => {
  const given = headers['x-request-id'] ?? headers['x-killbill-request-id-req'];
  return parseUuid(String(given ?? '')) ?? newId();
};

type Known = { readonly caller: Caller; readonly correlationId: string; readonly innerSecret: string };

/**
 * The headers a service gets: the client's own without its secrets and without anything that only the gateway may say,
 * then who asks, for whom, under which correlation id, and where the public face is.
 */
export const forwardedHeaders = (
  request: IncomingMessage,
  { caller, correlationId, innerSecret }: Known,
): IncomingHttpHeaders => {
  const isPlugin = request.url?.startsWith('/plugins/') === true;
  // What belongs to the client's connection goes first: its Connection header must not name headers of ours.
  const kept = Object.entries(withoutHopByHop(request.headers)).filter(
    ([name]) =>
      !name.startsWith('x-billstream-') && name !== 'x-killbill-apisecret' && (isPlugin || name !== 'authorization'),
  );
  return {
    ...Object.fromEntries(kept),
    ...publicFace(request),
    traceparent: traceOf(request.headers),
    [innerHeaders.secret]: innerSecret,
    [innerHeaders.correlation]: correlationId,
    [innerHeaders.tenant]: caller.tenantId,
    [innerHeaders.user]: caller.user,
  };
};

/** What a proxy in front said about the public face stays; else it is this server as the client addressed it. */
const publicFace = ({ headers, socket }: IncomingMessage): IncomingHttpHeaders => {
  const before = headers['x-forwarded-for'];
  const peer = socket.remoteAddress ?? 'unknown';
  return {
    'x-forwarded-proto': headers['x-forwarded-proto'] ?? 'http',
    'x-forwarded-host': headers['x-forwarded-host'] ?? headers.host ?? 'localhost',
    'x-forwarded-for': before === undefined ? peer : `${String(before)}, ${peer}`,
  };
};

/** W3C trace context: the caller's span when it is well formed, else a new trace that starts here. */
const traceOf = ({ traceparent }: IncomingHttpHeaders): string =>
  typeof traceparent === 'string' &&
  /^[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/.test(traceparent)
    ? traceparent
    : `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`;
