import fc from 'fast-check';
import { eventReader } from './server-sent-events';

const stream =
  'retry: 2000\n\nid: 7\nevent: limit-reached\ndata: {"a":1}\n\n: still here\n\nid: 9\r\ndata: one\r\ndata: two\r\n\r\nid: 10\ndata: half';

describe('a stream of events', () => {
  it('gives the same events in whatever pieces it comes, and none that is not complete', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(stream.length)), (cuts) => {
        const read = eventReader();
        const ends = [...cuts].sort((a, b) => a - b);
        const pieces = [...ends, stream.length].map((end, index) => stream.slice(ends[index - 1] ?? 0, end));
        expect(pieces.flatMap((piece) => read(piece))).toEqual([
          { id: '7', event: 'limit-reached', data: '{"a":1}' },
          { id: '9', event: 'message', data: 'one\ntwo' },
        ]);
      }),
    );
  });
});
