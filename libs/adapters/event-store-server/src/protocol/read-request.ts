import { filterIn, type EventFilter } from './event-filter';
import { invalidArgument } from './failures';
import { streamNameIn } from './proposals';
import { decode, LAST, type Message } from './wire';

export type StartingPoint = 'start' | 'end' | number;

export interface ReadRequest {
  /** Absent: the whole log. */
  readonly stream: string | undefined;
  readonly from: StartingPoint;
  readonly backwards: boolean;
  readonly resolveLinks: boolean;
  /** Absent: a subscription. */
  readonly limit: number | undefined;
  readonly filter: EventFilter | undefined;
}

const pointOf = (value: number): StartingPoint => (value >= LAST ? 'end' : value);

/** StreamOptions: 1 name; 2 revision, 3 start, 4 end. */
const streamStart = (options: Message): StartingPoint => {
  if (options.has(3)) return 'start';
  return options.has(4) ? 'end' : pointOf(options.number(2));
};

/** AllOptions: 1 position, 2 start, 3 end. */
export const allStart = (options: Message): StartingPoint => {
  if (options.has(2)) return 'start';
  return options.has(3) ? 'end' : pointOf(options.message(1).number(1));
};

/** Options of a read: 1 stream or 2 all; 3 direction; 4 links; 5 count or 6 subscription; 7 filter. */
export const readRequestIn = (request: Buffer): ReadRequest => {
  const options = decode(request).message(1);
  if (!options.has(1) && !options.has(2)) throw invalidArgument('a read names a stream or the whole log');
  const ofStream = options.has(1) ? options.message(1) : undefined;
  return {
    stream: ofStream ? streamNameIn(ofStream.bytes(1)) : undefined,
    from: ofStream ? streamStart(ofStream) : allStart(options.message(2)),
    backwards: options.number(3) === 1,
    resolveLinks: options.flag(4),
    limit: options.has(6) ? undefined : options.number(5),
    filter: options.has(7) ? filterIn(options.message(7)) : undefined,
  };
};
