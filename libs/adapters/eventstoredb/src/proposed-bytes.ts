import { BatchAppendReq } from '@eventstore/db-client/generated/streams_pb';

const { prototype } = BatchAppendReq.ProposedMessage;

/**
 * The client gives an event to its message as base64, and the message decodes that in JavaScript, twice for each append:
 * of an event of 27 kB 0.65 ms, in one piece. Node's own decoder needs 0.04 ms for the same bytes.
 */
export const decodeProposedNatively = (): void => {
  prototype.getData_asU8 = bytesOf;
};

function bytesOf(this: BatchAppendReq.ProposedMessage): Uint8Array {
  const data = this.getData();
  return typeof data === 'string' ? Buffer.from(data, 'base64') : data;
}
