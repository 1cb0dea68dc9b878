import type { INestApplication, RpcExceptionFilter } from '@nestjs/common';
import { NestMicroservice } from '@nestjs/microservices';
import { type Observable, throwError } from 'rxjs';
import type { BusServer } from './bus-server';

/** Nest's own filter replaces an error by "Internal server error", after which nobody can tell a lost connection from a bug. */
class PassErrorsOn implements RpcExceptionFilter {
  catch(error: unknown): Observable<never> {
    return throwError(() => error);
  }
}

/**
 * Gives the application's `@EventPattern` methods to the server; `app.startAllMicroservices()` makes it listen and
 * `app.close()` closes it. Nest registers listeners while it connects a microservice, before a filter could be set, so
 * that step is deferred and done here.
 */
export const hostReactions = (app: INestApplication, server: BusServer): void => {
  const microservice = app.connectMicroservice({ strategy: server }, { deferInitialization: true });
  if (!(microservice instanceof NestMicroservice)) throw new Error('@nestjs/microservices is installed twice');
  microservice.useGlobalFilters(new PassErrorsOn());
  microservice.registerListeners();
  microservice.setIsInitialized(true);
  microservice.setIsInitHookCalled(true);
};
