import fc from 'fast-check';
import {
  bytesField,
  cursorOf,
  decode,
  LAST,
  MalformedMessage,
  message,
  messageField,
  numberField,
  readUuid,
  readVarint,
  textField,
  varintSize,
  writeVarint,
} from './wire';

const written = (value: number): Buffer => {
  const buffer = Buffer.alloc(varintSize(value));
  writeVarint(buffer, 0, value);
  return buffer;
};

describe('a number on the wire', () => {
  it('is read as it was written', () => {
    fc.assert(fc.property(fc.maxSafeNat(), (value) => expect(readVarint(cursorOf(written(value)))).toBe(value)));
  });

  it('is the largest signed 64-bit number for what has no end, and reads as that', () => {
    expect(written(LAST).toString('hex')).toBe('ffffffffffffffff7f');
    expect(readVarint(cursorOf(written(LAST)))).toBe(LAST);
    expect(readVarint(cursorOf(Buffer.from('ffffffffffffffffff01', 'hex')))).toBe(LAST);
  });

  it('that is cut off is refused', () => {
    expect(() => readVarint(cursorOf(Buffer.from([0x80])))).toThrow(MalformedMessage);
  });
});

describe('a message', () => {
  it('gives back its fields, and defaults for those it lacks', () => {
    const decoded = decode(
      message(numberField(1, 0), textField(2, 'a'), textField(2, 'b'), messageField(3, numberField(1, 7))),
    );
    expect(decoded.has(1)).toBe(true);
    expect(decoded.texts(2)).toEqual(['a', 'b']);
    expect(decoded.message(3).number(1)).toBe(7);
    expect([decoded.has(9), decoded.text(9), decoded.number(9), decoded.flag(9)]).toEqual([false, '', 0, false]);
  });

  it('of any bytes is decoded or refused, never misread past its end', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        try {
          decode(Buffer.from(bytes));
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedMessage);
        }
      }),
    );
  });

  it('whose field claims more bytes than there are is refused', () => {
    expect(() => decode(bytesField(1, Buffer.from('abc')).subarray(0, 4))).toThrow(MalformedMessage);
  });
});

describe('an id', () => {
  it('is the same as text and as two halves', () => {
    const text = '0f8fad5b-d9cb-469f-a165-70867728950e';
    const half = (field: number, value: bigint): Buffer => {
      const bytes = [field * 8];
      for (let rest = value; ; rest >>= 7n) {
        if (rest < 128n) return Buffer.from([...bytes, Number(rest)]);
        bytes.push(Number(rest & 127n) | 128);
      }
    };
    const halves = messageField(1, half(1, 0x0f8fad5bd9cb469fn), half(2, 0xa16570867728950en));
    expect(readUuid(textField(2, text.toUpperCase()))).toBe(text);
    expect(readUuid(halves)).toBe(text);
  });
});
