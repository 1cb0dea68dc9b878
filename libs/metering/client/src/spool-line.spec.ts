import fc from 'fast-check';
import { decodeLine, encodeLine } from './spool-line';

describe('a line of the spool', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(fc.object(), (value) => {
        const text = JSON.stringify(value);
        expect(decodeLine(encodeLine(text).slice(0, -1))).toBe(text);
      }),
    );
  });
  it('is known to be damaged whichever character of it is another, and wherever it ends early', () => {
    const line = encodeLine('{"unit":"calls","user":"jané"}').slice(0, -1);
    for (let at = 0; at < line.length; at += 1) {
      expect(decodeLine(`${line.slice(0, at)}~${line.slice(at + 1)}`)).toBeNull();
      expect(decodeLine(line.slice(0, at))).toBeNull();
    }
  });
});
