const typeIds = { json: 114, jsonb: 3802 } as const;

/**
 * Values for a parameter `$1::json[]` or `$1::jsonb[]`, in PostgreSQL's binary form of an array. As text each quote of
 * each value would be escaped here and unescaped there, which costs more than the values themselves.
 */
export const jsonArray = (type: keyof typeof typeIds, values: readonly object[]): Buffer => {
  const texts = values.map((value) => JSON.stringify(value));
  const version = type === 'jsonb' ? 1 : 0;
  const lengths = texts.map((text) => Buffer.byteLength(text) + version);
  const array = Buffer.allocUnsafe(20 + lengths.reduce((sum, length) => sum + 4 + length, 0));
  // Dimensions, no nulls, type of the elements; then the only dimension's length and its first index.
  let end = 0;
  for (const word of [1, 0, typeIds[type], texts.length, 1]) end = array.writeInt32BE(word, end);
  texts.forEach((text, index) => {
    end = array.writeInt32BE(lengths[index] ?? 0, end);
    if (version === 1) end = array.writeInt8(1, end);
    end += array.write(text, end);
  });
  return array;
};
