import { AsyncLocalStorage } from 'node:async_hooks';

/** What every log line of a request, message or due item carries, so that one id finds the whole chain. */
export type LogContext = {
  readonly correlationId: string;
  readonly causationId?: string;
  readonly tenantId?: string;
  readonly traceparent?: string;
};

const storage = new AsyncLocalStorage<LogContext>();

/** Runs work, and everything it awaits, with these fields on every log line. */
export const withLogContext = <T>(context: LogContext, work: () => T): T => storage.run(context, work);

export const currentLogContext = (): LogContext | undefined => storage.getStore();
