import { ProblemException, headerOf } from '@billstream/http';
import type { UnitRejection } from '@billstream/metering-domain';
import type { FastifyRequest } from 'fastify';

export const invalidField = (pointer: string, message: string): ProblemException =>
  new ProblemException({
    status: 400,
    code: 'invalid-request',
    detail: `${pointer}: ${message}`,
    errors: [{ pointer, code: 'invalid', message }],
  });

export const unknownUnit = (name: string): ProblemException =>
  new ProblemException({ status: 404, code: 'unit-not-found', detail: `There is no unit ${name}` });

/** Every fault of the rules at once, each with a pointer into the unit as it was sent. */
export const unitProblem =
  (name: string) =>
  (rejection: UnitRejection): ProblemException => {
    switch (rejection.code) {
      case 'unit-not-found':
        return unknownUnit(name);
      case 'unit-exists':
        return new ProblemException({ status: 409, code: 'unit-exists', detail: `There is a unit ${name} already` });
      case 'version-taken': {
        const { version } = rejection;
        const detail = `The newest version of the rules of ${name} is ${version}; the next one is ${version + 1}`;
        return new ProblemException({ status: 409, code: 'version-taken', detail });
      }
      case 'rules-invalid': {
        const { faults } = rejection;
        const detail = faults.map(({ pointer, message }) => `${pointer}: ${message}`).join('; ');
        return new ProblemException({ status: 400, code: 'rules-invalid', detail, errors: faults });
      }
    }
  };

export const prefersMinimal = (request: FastifyRequest): boolean =>
  /(^|[,;\s])return=minimal($|[,;\s])/i.test(headerOf(request, 'prefer') ?? '');

/** Seconds that the client wants to wait at most (RFC 7240 §4.3); null: it says nothing of it. */
export const preferredWait = (request: FastifyRequest): number | null => {
  const [, seconds] = /(?:^|[,;\s])wait=(\d{1,9})(?:$|[,;\s])/i.exec(headerOf(request, 'prefer') ?? '') ?? [];
  return seconds === undefined ? null : Number(seconds);
};
