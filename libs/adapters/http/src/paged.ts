import { type ExecutionContext, createParamDecorator } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Page, locationOf, paginate } from './answers';
import { type RequestContext, requestContextOf } from './request-context';

/** Whoever asks for a page of a list, and where its headers go. */
export type PagedRequest = Pick<RequestContext, 'tenantId'> & {
  /** Says which page this is of how many rows; the next one's URI is this request's with another offset. */
  readonly paginate: (page: Omit<Page, 'uri'>) => void;
};

/** Endpoint parameter: `@Paged() paged: PagedRequest`. */
export const Paged = createParamDecorator((_: unknown, execution: ExecutionContext): PagedRequest => {
  const http = execution.switchToHttp();
  const request = http.getRequest<FastifyRequest>();
  const reply = http.getResponse<FastifyReply>();
  return {
    tenantId: requestContextOf(request).tenantId,
    paginate: (page) => {
      paginate(reply, { ...page, uri: locationOf(request, request.url) });
    },
  };
});
