import { BatchAppendReq } from '@eventstore/db-client/generated/streams_pb';
import { decodeProposedNatively } from './proposed-bytes';

const texts = ['', '{}', 'a', 'ab', 'é€😀', JSON.stringify({ text: 'x'.repeat(100_000) })];
const messageOf = (data: Uint8Array | string): BatchAppendReq.ProposedMessage => {
  const message = new BatchAppendReq.ProposedMessage();
  message.setData(data);
  return message;
};
const serialized = (): readonly string[] =>
  texts.flatMap((text) => {
    const bytes = Buffer.from(text);
    return [bytes.toString('base64'), new Uint8Array(bytes)].map((data) =>
      Buffer.from(messageOf(data).serializeBinary()).toString('hex'),
    );
  });

describe('events that are proposed', () => {
  it('are the same bytes as the client makes of them, by the decoder of Node', () => {
    const before = serialized();
    expect(messageOf('e30=').getData_asU8()).not.toBeInstanceOf(Buffer);
    decodeProposedNatively();
    expect(serialized()).toEqual(before);
    expect(messageOf('e30=').getData_asU8()).toBeInstanceOf(Buffer);
  });
});
