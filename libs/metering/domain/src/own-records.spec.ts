import type { Instant } from '@billstream/kernel';
import { type RecordForm, cloudEventOf, parseRecords } from './index';

const now = '2024-05-01T10:00:00.000Z' as Instant;
const parse = (raw: unknown, form: RecordForm) =>
  parseRecords([raw], {
    now,
    methodOf: (unit) => (unit === 'host' ? 'AVG' : 'SUM'),
    source: 'meter',
    idOf: () => null,
    form,
  });
const recordOf = (raw: unknown, form: RecordForm = 'OWN') => parse(raw, form).accepted[0]?.record;
const faultOf = (raw: unknown, form: RecordForm = 'OWN') => {
  const [fault] = parse(raw, form).rejected;
  return fault && `${fault.field} ${fault.code}`;
};
const valid = { unit: 'calls', user: 'u', amount: 1, id: 'a', source: 's' };
const event = {
  specversion: '1.0',
  id: 'a',
  source: '/pods/7',
  type: 'calls',
  subject: 'u',
  time: '2024-05-01T12:00:00+02:00',
  data: { amount: '1.5' },
};

describe('a record of the own API', () => {
  it('carries dimensions, their names sorted', () => {
    expect(recordOf({ ...valid, dimensions: { region: 'eu', model: 'large' } })?.[6]).toEqual({
      dimensions: { model: 'large', region: 'eu' },
    });
    expect(JSON.stringify(recordOf({ ...valid, dimensions: { b: '1', a: '2' } })?.[6])).toBe(
      '{"dimensions":{"a":"2","b":"1"}}',
    );
    for (const dimensions of [{}, null]) expect(recordOf({ ...valid, dimensions })).toHaveLength(6);
  });
  it.each<[object, string]>([
    [{ ...valid, amuont: 2 }, 'amuont unknown-field'],
    [{ ...valid, dimensions: ['eu'] }, 'dimensions invalid'],
    [{ ...valid, dimensions: { 'a b': 'x' } }, 'dimensions.a b invalid'],
    [{ ...valid, dimensions: { region: 7 } }, 'dimensions.region invalid'],
    [{ ...valid, dimensions: { region: 'x'.repeat(256) } }, 'dimensions.region invalid'],
    [
      { ...valid, dimensions: Object.fromEntries(Array.from({ length: 17 }, (_, n) => [`d${n}`, 'x'])) },
      'dimensions too-many',
    ],
  ])('is refused by the field: %j', (raw, fault) => expect(faultOf(raw)).toBe(fault));
  it('takes a dimension by any name, that of a word of ours too', () =>
    expect(recordOf({ ...valid, dimensions: { code: 'x', constructor: 'y' } })?.[6]).toEqual({
      dimensions: { code: 'x', constructor: 'y' },
    }));
  it('may say more where the original took no notice', () => {
    expect(recordOf({ ...valid, amuont: 2, dimensions: 7 }, 'METER')).toEqual([
      'calls',
      'u',
      Date.parse(now),
      '1',
      's',
      'a',
    ]);
  });
});

describe('a CloudEvent', () => {
  const atMs = Date.parse('2024-05-01T10:00:00Z');
  it('is a record named by its source and id; the envelope says what the data does not', () => {
    expect(recordOf(event, 'CLOUD_EVENT')).toEqual(['calls', 'u', atMs, '1.5', '/pods/7', 'a']);
    const data = { unit: 'host', user: 'v', amount: 2, time: atMs + 1, dimensions: { zone: 'a' } };
    expect(recordOf({ ...event, tracestate: 'x', data }, 'CLOUD_EVENT')).toEqual([
      'host',
      'v',
      atMs + 1,
      '2',
      '/pods/7',
      'a',
      { dimensions: { zone: 'a' } },
    ]);
  });
  it.each<[unknown, string]>([
    [null, ' not-an-object'],
    [{ ...event, specversion: '0.3' }, 'specversion unsupported'],
    [{ ...event, id: '' }, 'id required'],
    [{ ...event, source: undefined }, 'source required'],
    [{ ...event, data: [1] }, 'data required'],
    [{ ...event, data: { amount: 1, id: 'b' } }, 'data.id unknown-field'],
    [{ ...event, data: { amount: 1, price: 2 } }, 'data.price unknown-field'],
    [{ ...event, data: { amount: -1 } }, 'data.amount negative'],
    [{ ...event, type: 'host', data: {} }, 'data.amount required'],
    [{ ...event, time: 'noon' }, 'time invalid'],
    [{ ...event, subject: 7 }, 'subject invalid'],
    [{ ...event, data: { dimensions: { 'x y': '' } } }, 'data.dimensions.x y invalid'],
  ])('is refused by its own field: %j', (raw, fault) => expect(faultOf(raw, 'CLOUD_EVENT')).toBe(fault));
  it('in binary mode has its attributes in headers', () => {
    const headers = { 'ce-id': 'a', 'ce-source': 's', 'content-type': 'application/json' };
    expect(cloudEventOf(headers, 'ce-', { amount: 1 })).toEqual({ id: 'a', source: 's', data: { amount: 1 } });
  });
});
