import { recordedOf } from '../storage/stored-event';
import type { Resolved } from '../storage/visibility';
import { positionOf } from './append-service';
import { bytesField, EMPTY, message, messageField, numberField, textField } from './wire';

/** ReadEvent: 1 event, 2 link, 3 position of what was read, which is the link if there is one. */
export const readEventOf = ({ event, link }: Resolved): Buffer =>
  message(
    event ? bytesField(1, recordedOf(event)) : EMPTY,
    link ? bytesField(2, recordedOf(link)) : EMPTY,
    numberField(3, (link ?? event)?.position ?? 0),
  );

export const eventAnswer = (resolved: Resolved): Buffer =>
  resolved.event && !resolved.link ? resolved.event.response : messageField(1, readEventOf(resolved));

export const confirmation = (id: string): Buffer => messageField(2, textField(1, id));

export const checkpointAnswer = (position: number): Buffer => messageField(3, positionOf(position));

export const streamNotFound = (stream: string): Buffer => messageField(4, messageField(1, textField(3, stream)));

export const caughtUpAnswer = (): Buffer => messageField(8);
