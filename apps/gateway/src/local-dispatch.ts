import type { FastifyInstance } from 'fastify';
import { once } from 'node:events';
import { type Dispatch, withoutHopByHop } from './dispatch';

/** A service in this process: the request is handed over as it is, without a connection in between. */
export const localDispatch = (service: Pick<FastifyInstance, 'routing' | 'inject'>): Dispatch => ({
  forward: async ({ request, response }, headers) => {
    const done = once(response, 'close');
    request.headers = withoutHopByHop(headers);
    service.routing(request, response);
    await done;
  },
  call: async ({ method, path, headers, body }) => {
    const answer = await service.inject({
      method,
      url: path,
      headers: withoutHopByHop(headers),
      ...(body === undefined ? {} : { payload: body }),
    });
    return { status: answer.statusCode, headers: answer.headers, body: answer.rawPayload };
  },
});
