import { type RequestContext, locationOf, requestContextOf } from '@billstream/http';
import { type ExecutionContext, HttpStatus, createParamDecorator } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** Who asks, and where the answer is put together: for endpoints that create something and answer without a body. */
export type Answer = {
  readonly context: RequestContext;
  /** 201 with an absolute Location of this path. */
  readonly created: (path: string) => void;
  /** 204 instead: there was nothing to do. */
  readonly nothing: () => void;
};

/** Endpoint parameter: `@AnswerTo() answer: Answer`. */
export const AnswerTo = createParamDecorator((_: unknown, execution: ExecutionContext): Answer => {
  const http = execution.switchToHttp();
  const request = http.getRequest<FastifyRequest>();
  const reply = http.getResponse<FastifyReply>();
  return {
    context: requestContextOf(request),
    created: (path) => void reply.header('Location', locationOf(request, path)),
    nothing: () => void reply.status(HttpStatus.NO_CONTENT),
  };
});
