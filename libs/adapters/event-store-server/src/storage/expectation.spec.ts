import { ANY, judge, NO_STREAM, STREAM_EXISTS, type StreamView } from './expectation';

const absent: StreamView = { next: 0, tombstoned: false, retention: {}, hasMetadata: false };
const filled: StreamView = { ...absent, next: 3 };
const deleted: StreamView = { ...filled, retention: { truncateBefore: Number.MAX_SAFE_INTEGER } };

describe('an expectation', () => {
  it('of an exact revision that was passed is compared from the next one on', () => {
    expect(judge(filled, 0)).toEqual({ kind: 'compare', from: 1, otherwise: 'conflict' });
    expect(judge(filled, 2)).toEqual({ kind: 'write' });
    expect(judge(filled, 3)).toEqual({ kind: 'conflict' });
  });

  it('of no stream is compared from the first event on, and may be written to a deleted one', () => {
    expect(judge(absent, NO_STREAM)).toEqual({ kind: 'write' });
    expect(judge(filled, NO_STREAM)).toEqual({ kind: 'compare', from: 0, otherwise: 'conflict' });
    expect(judge(deleted, NO_STREAM)).toEqual({ kind: 'compare', from: 0, otherwise: 'write' });
  });

  it('of some stream is met by metadata alone', () => {
    expect(judge(absent, STREAM_EXISTS)).toEqual({ kind: 'conflict' });
    expect(judge({ ...absent, hasMetadata: true }, STREAM_EXISTS)).toEqual({ kind: 'write' });
    expect(judge(deleted, STREAM_EXISTS)).toEqual({ kind: 'deleted' });
  });

  it('is never met by a stream that is closed for ever', () => {
    for (const expected of [ANY, NO_STREAM, STREAM_EXISTS, 0, 9]) {
      expect(judge({ ...filled, tombstoned: true }, expected)).toEqual({ kind: 'deleted' });
    }
  });
});
