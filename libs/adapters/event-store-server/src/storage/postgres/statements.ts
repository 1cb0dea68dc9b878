import { LAST } from '../../protocol/wire';
import type { PageRequest } from '../event-log';
import { dataOf, encodeEvent, metadataOf, type StoredEvent } from '../stored-event';

/** How the table writes a tombstone's revision. */
const LAST_IN_TABLE = '9223372036854775807';

const COLUMNS = `e.position, s.name as stream, e.revision, e.event_id, e.type, e.is_json, e.created_ms, e.metadata, e.data`;

export interface Statement {
  readonly name: string;
  readonly text: string;
  readonly values: unknown[];
}

export interface StreamNumbers {
  /** Streams that begin with these events. */
  readonly fresh: ReadonlyMap<string, number>;
  readonly idOf: (stream: string) => number;
}

interface Columns {
  readonly positions: number[];
  readonly streams: number[];
  readonly revisions: (number | string)[];
  readonly ids: string[];
  readonly types: string[];
  readonly jsons: string[];
  readonly created: number[];
  readonly metadataLengths: number[];
  readonly dataLengths: number[];
}

const columnsOf = (events: readonly StoredEvent[], idOf: (stream: string) => number): Columns => {
  const columns: Columns = {
    positions: [],
    streams: [],
    revisions: [],
    ids: [],
    types: [],
    jsons: [],
    created: [],
    metadataLengths: [],
    dataLengths: [],
  };
  for (const event of events) {
    columns.positions.push(event.position);
    columns.streams.push(idOf(event.stream));
    columns.revisions.push(event.revision === LAST ? LAST_IN_TABLE : event.revision);
    columns.ids.push(event.id);
    columns.types.push(event.type);
    columns.jsons.push(event.isJson ? 't' : 'f');
    columns.created.push(event.createdMs);
    columns.metadataLengths.push(event.metadataLength);
    columns.dataLengths.push(event.dataLength);
  }
  return columns;
};

/** Numbers, UUIDs and booleans need no quoting inside an array literal. */
const plainArray = (values: readonly (number | string)[]): string => `{${values.join(',')}}`;

/**
 * One statement is one transaction: all events of a commit and the streams that begin with it, or nothing. The payloads
 * travel as one binary parameter and are cut apart by the server, because an array of bytea would go as hex text.
 */
export const insertEvents = (
  schema: string,
  events: readonly StoredEvent[],
  { fresh, idOf }: StreamNumbers,
): Statement => {
  const columns = columnsOf(events, idOf);
  return {
    name: 'insert-events',
    text: `
      with fresh as (
        insert into ${schema}.streams (id, name) select * from unnest($1::bigint[], $2::text[])
      ), given as (
        select *, sum(metadata_length + data_length) over (order by position) - metadata_length - data_length + 1 as at
        from unnest($3::bigint[], $4::bigint[], $5::bigint[], $6::uuid[], $7::text[], $8::boolean[], $9::bigint[],
                    $10::integer[], $11::integer[])
          as e(position, stream_id, revision, event_id, type, is_json, created_ms, metadata_length, data_length)
      )
      insert into ${schema}.events (position, stream_id, revision, event_id, type, is_json, created_ms, metadata, data)
      select position, stream_id, revision, event_id, type, is_json, created_ms,
        substring($12::bytea from at::integer for metadata_length),
        substring($12::bytea from (at + metadata_length)::integer for data_length)
      from given order by position`,
    values: [
      plainArray([...fresh.values()]),
      [...fresh.keys()],
      plainArray(columns.positions),
      plainArray(columns.streams),
      plainArray(columns.revisions),
      plainArray(columns.ids),
      columns.types,
      plainArray(columns.jsons),
      plainArray(columns.created),
      plainArray(columns.metadataLengths),
      plainArray(columns.dataLengths),
      Buffer.concat(events.flatMap((event) => [metadataOf(event), dataOf(event)])),
    ],
  };
};

export const selectAll = (schema: string, { from, limit, backwards }: PageRequest): Statement => ({
  name: backwards ? 'all-backwards' : 'all-forwards',
  text: `select ${COLUMNS} from ${schema}.events e join ${schema}.streams s on s.id = e.stream_id
    where e.position ${backwards ? '<=' : '>='} $1 order by e.position ${backwards ? 'desc' : 'asc'} limit $2`,
  values: [from, limit],
});

export const selectStream = (schema: string, streamId: number, { from, limit, backwards }: PageRequest): Statement => ({
  name: backwards ? 'stream-backwards' : 'stream-forwards',
  text: `select ${COLUMNS} from ${schema}.events e join ${schema}.streams s on s.id = e.stream_id
    where e.stream_id = $1 and e.revision ${backwards ? '<=' : '>='} $2
    order by e.revision ${backwards ? 'desc' : 'asc'} limit $3`,
  values: [streamId, from, limit],
});

/** Walks the streams by number; each costs two looks into the index of revisions, whatever the length of the log. */
export const selectStreams = (schema: string, after: number, limit: number): Statement => ({
  name: 'streams',
  text: `select s.id, s.name, coalesce(r.last, -1) as last,
      exists (select from ${schema}.events t where t.stream_id = s.id and t.revision = ${LAST_IN_TABLE}) as tombstoned
    from ${schema}.streams s
    left join lateral (
      select e.revision as last from ${schema}.events e
      where e.stream_id = s.id and e.revision < ${LAST_IN_TABLE} order by e.revision desc limit 1
    ) r on true
    where s.id > $1 order by s.id limit $2`,
  values: [after, limit],
});

export const selectMetadata = (schema: string): Statement => ({
  name: 'metadata',
  text: `select ${COLUMNS} from ${schema}.streams s
    cross join lateral (
      select * from ${schema}.events o where o.stream_id = s.id and o.revision < ${LAST_IN_TABLE}
      order by o.revision desc limit 1
    ) e
    where s.name like '$$%' order by e.position`,
  values: [],
});

export const selectLast = (schema: string): Statement => ({
  name: 'last',
  text: `select coalesce(max(position), 0) as last from ${schema}.events`,
  values: [],
});

export type Row = Readonly<Record<string, unknown>>;

const bytes = (value: unknown): Buffer => (Buffer.isBuffer(value) ? value : Buffer.alloc(0));

const revisionOf = (value: unknown): number => (value === LAST_IN_TABLE ? LAST : Number(value));

export const eventOfRow = (row: Row): StoredEvent =>
  encodeEvent({
    position: Number(row['position']),
    stream: String(row['stream']),
    revision: revisionOf(row['revision']),
    id: String(row['event_id']),
    type: String(row['type']),
    isJson: row['is_json'] === true,
    createdMs: Number(row['created_ms']),
    metadata: bytes(row['metadata']),
    data: bytes(row['data']),
  });
