import fc from 'fast-check';

const nasty = [
  ...['', ' ', '0', '-1', '1e400', 'NaN', 'null', 'true', '../..', '%', "'; drop table accounts;--", '🦄', 'ＡＢＣ'],
  ...['{}', '[]', '\u202e', 'a\r\nb', 'x'.repeat(300), 'constructor', '__proto__', 'toString', '<a/>', '&amp;'],
  ...['2026-02-30', '9999-12-31', '0001-01-01', '2026-01-01', '2026-06-30T23:59:59.999Z', '+275760-09-13'],
  ...['USD', 'JPY', 'XXX', 'EVERGREEN', 'IMMEDIATE', '00000000-0000-0000-0000-000000000000'],
];

export const text = (known: readonly string[]): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...known, ...nasty) },
    { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 40 }) },
  );

export const scalar = (known: readonly string[]): fc.Arbitrary<unknown> =>
  fc.oneof(
    { weight: 4, arbitrary: text(known) },
    fc.constantFrom(0, -1, 1, 1.5, 1e21, 1e308, -1e-9, Number.MAX_SAFE_INTEGER, 32, true, false, null),
  );

export const anything = (known: readonly string[]): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 3, arbitrary: scalar(known) }, { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }) });

/** A document with one of its texts, numbers or elements replaced: mostly still XML, mostly wrong. */
export const spoilt = (document: string): fc.Arbitrary<string> => {
  const places = [...document.matchAll(/>([^<>]+)</g)].map(({ index, 1: inner = '' }) => ({ at: index + 1, inner }));
  return fc
    .tuple(fc.constantFrom(...places), fc.oneof(text([]), fc.constantFrom('MONTHLY', 'BASE', '-5', '<a/>')))
    .map(([{ at, inner }, value]) => document.slice(0, at) + value + document.slice(at + inner.length));
};
