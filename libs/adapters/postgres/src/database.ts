export type Sql = {
  query<R extends object = Record<string, unknown>>(text: string, values?: readonly unknown[], name?: string): Promise<readonly R[]>;
};
export type Database = Sql & {
  transaction<T>(work: (tx: Sql) => Promise<T>): Promise<T>;
  exclusively(lock: string, signal: AbortSignal, work: (signal: AbortSignal) => Promise<void>): Promise<void>;
  withSchema(schema: string): Database;
  readonly schema: string;
  close(): Promise<void>;
};
