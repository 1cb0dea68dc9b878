import type { CanActivate, ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { createHash, timingSafeEqual } from 'node:crypto';
import { ProblemException, killBillProblem } from './problem';
import { isKillBillPath } from './problem-filter';
import { headerOf, innerHeaders } from './request-context';

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Refuses whoever is not the gateway: without the inner secret no header about tenant or user is to be believed. */
export const innerGate = (secret: string): ((request: FastifyRequest) => void) => {
  const expected = sha256(secret);
  return (request) => {
    if (request.url.startsWith('/health/')) return;
    const given = headerOf(request, innerHeaders.secret);
    if (given === undefined || !timingSafeEqual(sha256(given), expected))
      throw new ProblemException({
        status: 401,
        code: 'not-the-gateway',
        detail: 'This service answers the gateway only',
      });
  };
};

const changes = new Set(['POST', 'PUT', 'DELETE', 'PATCH']);

/** Kill Bill wants to know who changes something: X-Killbill-CreatedBy on every request that is not a read. */
export const createdByGuard = (): CanActivate => ({
  canActivate: (context: ExecutionContext): boolean => {
    if (context.getType() !== 'http') return true;
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    if (!changes.has(request.method) || !isKillBillPath(request.url)) return true;
    const createdBy = headerOf(request, 'x-killbill-createdby');
    if (createdBy === undefined || createdBy.trim() === '')
      throw killBillProblem(400, null, 'IllegalArgumentException', 'Header X-Killbill-CreatedBy needs to be set');
    return true;
  },
});
