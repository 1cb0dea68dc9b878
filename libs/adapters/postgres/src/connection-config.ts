import type { ClientConfig } from 'pg';
import { columnTypes } from './column-types';

export type ConnectionOptions = {
  readonly url: string;
  readonly schema: string;
  readonly applicationName: string;
};

/** Long enough for a batch of thousands of rows, short enough that a forgotten lock is seen the same minute. */
const statementTimeoutMs = 60_000;

/** A transaction that is left open blocks vacuum and its row locks block everyone else. */
const idleInTransactionTimeoutMs = 120_000;

export const connectTimeoutMs = 10_000;

/**
 * The server forgets a client whose machine vanished after about a minute; without this it would keep that client's
 * locks for two hours.
 */
const keepAlive = { tcp_keepalives_idle: 30, tcp_keepalives_interval: 10, tcp_keepalives_count: 3 };

const schemaName = /^[a-z_][a-z0-9_]{0,62}$/;

/** Schema names are restricted rather than escaped: they stand in start-up options and in file-less SQL. */
export const checkedSchema = (schema: string): string => {
  if (!schemaName.test(schema))
    throw new Error(`'${schema}' is no schema name: use a-z, 0-9 and _, at most 63 of them`);
  return schema;
};

/**
 * Session settings travel in the start-up packet, so that a new connection costs no extra round trip and can never be
 * seen without them. `public` is not on the search path: a table that is missing in the schema must be an error.
 */
const sessionOptions = (schema: string): string =>
  Object.entries({
    search_path: schema,
    TimeZone: 'UTC',
    DateStyle: 'ISO',
    statement_timeout: statementTimeoutMs,
    idle_in_transaction_session_timeout: idleInTransactionTimeoutMs,
    ...keepAlive,
  })
    .map(([name, value]) => `-c ${name}=${value}`)
    .join(' ');

/** The driver lets `options` of a URL replace ours; here they come first and ours are added. */
const splitOptions = (url: string): { connectionString: string; given: string } => {
  const parsed = new URL(url);
  const given = parsed.searchParams.get('options') ?? '';
  if (given === '') return { connectionString: url, given };
  parsed.searchParams.delete('options');
  return { connectionString: parsed.toString(), given: `${given} ` };
};

export const connectionConfig = ({ url, schema, applicationName }: ConnectionOptions): ClientConfig => {
  const { connectionString, given } = splitOptions(url);
  return {
    connectionString,
    application_name: applicationName,
    options: `${given}${sessionOptions(checkedSchema(schema))}`,
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    types: columnTypes,
  };
};
