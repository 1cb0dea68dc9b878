import { type RequestContext, locationOf, requestContextOf } from '@billstream/http';
import { type ExecutionContext, createParamDecorator } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** Who asks, and where the answer is put together: for endpoints that make something and answer without a body. */
export type Answer = {
  readonly context: RequestContext;
  /** An absolute Location of this path. */
  readonly locatedAt: (path: string) => void;
};

/** Endpoint parameter: `@AnswerTo() answer: Answer`. */
export const AnswerTo = createParamDecorator((_: unknown, execution: ExecutionContext): Answer => {
  const http = execution.switchToHttp();
  const request = http.getRequest<FastifyRequest>();
  const reply = http.getResponse<FastifyReply>();
  return {
    context: requestContextOf(request),
    locatedAt: (path) => void reply.header('Location', locationOf(request, path)),
  };
});
