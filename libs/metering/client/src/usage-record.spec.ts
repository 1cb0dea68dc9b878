import { type UsageRecord, encodeRecord } from './usage-record';

const defaults = { source: 'web', nowMs: () => 1_700_000_000_000, newId: () => 'made' };
const encoded = (record: object) => {
  const { name, text } = encodeRecord(record as UsageRecord, defaults);
  return { name, sent: JSON.parse(text) as object };
};
const jane = { unit: 'calls', user: 'jane' };

describe('a record that is kept', () => {
  it('gets its time and its name when it is kept, so that sending it later or again changes nothing', () => {
    expect(encoded({ ...jane, amount: 3 })).toEqual({
      name: { source: 'web', id: 'made' },
      sent: { ...jane, amount: 3, time: 1_700_000_000_000, source: 'web', id: 'made' },
    });
  });
  it('keeps the name, exact amount and dimensions it brings, and says its time in milliseconds', () => {
    const record = { ...jane, id: '1', source: 's', amount: '0.000000001', dimensions: { region: 'eu' } };
    for (const time of [
      new Date(1_699_999_999_000),
      1_699_999_999_000,
      '2023-11-14T22:13:19Z',
      '2023-11-15T07:13:19+09:00',
    ])
      expect(encoded({ ...record, time })).toEqual({
        name: { source: 's', id: '1' },
        sent: { ...record, time: 1_699_999_999_000 },
      });
  });
  it.each([
    ['unit', { unit: '' }],
    ['unit', { unit: 'x'.repeat(256) }],
    ['user', { user: 7 }],
    ['user', { user: 'half a \ud800 character' }],
    ['id', { id: 'a\u0000b' }],
    ['source', { source: '' }],
    ['amount', { amount: -1 }],
    ['amount', { amount: '-0.5' }],
    ['amount', { amount: Number.NaN }],
    ['amount', { amount: 'many' }],
    ['time', { time: '2023-11-14 22:13' }],
    ['time', { time: '2023-11-14T22:13:19' }],
    ['time', { time: 1_700_000_000 }],
    ['time', { time: new Date(Number.NaN) }],
    ['dimensions', { dimensions: ['eu'] }],
    ['dimensions.region', { dimensions: { region: 1 } }],
    ['dimensions.region', { dimensions: { region: '\u0000' } }],
    ['amuont', { amuont: 1 }],
    ['', { dimensions: { region: 'x'.repeat(70_000) } }],
  ])('is refused for its %s: %j', (field, change) => {
    expect(() => encoded({ ...jane, ...change })).toThrow(expect.objectContaining({ code: 'invalid-record', field }));
  });
});
