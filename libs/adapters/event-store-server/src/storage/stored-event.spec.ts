import fc from 'fast-check';
import { ReadResp } from '@eventstore/db-client/generated/streams_pb';
import { dataOf, encodeEvent, linkTargetOf, metadataOf, recordedOf, TOMBSTONE_REVISION } from './stored-event';

const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
const fields = fc.record({
  id: fc.uuid(),
  type: fc.string({ minLength: 1, unit: 'binary' }),
  isJson: fc.boolean(),
  metadata: bytes,
  data: bytes,
  stream: fc.string({ minLength: 1, unit: 'binary' }),
  revision: fc.maxSafeNat(),
  position: fc.maxSafeNat(),
  createdMs: fc.integer({ min: 0, max: 4_000_000_000_000 }),
});

const onWire = (value: number): string => String(value === TOMBSTONE_REVISION ? 2n ** 63n - 1n : value);

describe('a stored event', () => {
  it('is read by the generated classes as what was stored', () => {
    fc.assert(
      fc.property(fields, (given) => {
        const read = ReadResp.deserializeBinary(encodeEvent(given).response).getEvent()!;
        const event = read.getEvent()!;
        const metadata = event.getMetadataMap();
        expect(read.getCommitPosition()).toBe(onWire(given.position));
        expect(event.getStreamRevision()).toBe(onWire(given.revision));
        expect(event.getId()!.getString()).toBe(given.id);
        expect(Buffer.from(event.getStreamIdentifier()!.getStreamName_asU8()).toString()).toBe(given.stream);
        expect(metadata.get('type')).toBe(given.type);
        expect(metadata.get('created')).toBe(String(given.createdMs * 10_000).padStart(17, '0'));
        expect(Buffer.from(event.getData_asU8())).toEqual(given.data);
        expect(Buffer.from(event.getCustomMetadata_asU8())).toEqual(given.metadata);
      }),
    );
  });

  it('keeps its payload inside the encoded answer', () => {
    fc.assert(
      fc.property(fields, (given) => {
        const stored = encodeEvent(given);
        expect(dataOf(stored)).toEqual(given.data);
        expect(metadataOf(stored)).toEqual(given.metadata);
        expect(ReadResp.ReadEvent.RecordedEvent.deserializeBinary(recordedOf(stored)).getId()?.getString()).toBe(
          given.id,
        );
      }),
    );
  });
});

describe('a link', () => {
  const link = (data: string) =>
    linkTargetOf(
      encodeEvent({
        id: '0f8fad5b-d9cb-469f-a165-70867728950e',
        type: '$>',
        isJson: false,
        metadata: Buffer.alloc(0),
        data: Buffer.from(data),
        stream: '$ce-a',
        revision: 0,
        position: 1,
        createdMs: 1_700_000_000_000,
      }),
    );

  it('points to a revision of a stream whose name may hold anything', () => {
    expect(link('12@a@b')).toEqual({ stream: 'a@b', revision: 12 });
  });

  it('that points nowhere is no link', () => {
    expect([link('a@b'), link('@b'), link('')]).toEqual([undefined, undefined, undefined]);
  });
});
