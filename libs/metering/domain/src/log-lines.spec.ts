import { lineTimeMs, linePattern, logFormat, readLogLines } from './index';

const format = (...patterns: readonly string[]) => ({
  patterns: patterns.map((pattern) => ({ pattern, constants: {} })),
  timeZone: 'Europe/Berlin',
});
const ms = (text: string): number => Date.parse(text);

describe('a log line', () => {
  const access = '%{TIMESTAMP_ISO8601:time} %{LOGLEVEL} unit=%{WORD:unit} user=%{EMAILADDRESS:user} n=%{NUMBER:amount}';
  it('is a record when a whole pattern fits it, whatever blanks it is aligned with', () => {
    const body = '2024-05-10T10:00:00.250Z INFO   unit=calls user=a.b@x.org n=2.5\r\n\n  ';
    expect(readLogLines(body, format(access))).toEqual({
      read: [
        {
          index: 0,
          record: { unit: 'calls', user: 'a.b@x.org', amount: '2.5', time: ms('2024-05-10T10:00:00.250Z') },
        },
      ],
      rejected: [],
    });
  });
  it('is read by the first pattern that fits all of it, with the constants of that pattern', () => {
    const patterns = [
      { pattern: '%{NOTSPACE:user} GET %{URIPATH}', constants: { unit: 'reads' } },
      { pattern: '%{NOTSPACE:user} %{GREEDYDATA}', constants: { unit: 'other', amount: '3' } },
    ];
    const { read } = readLogLines('a GET /x\nb GET /x?q\nc PUT', { patterns, timeZone: 'UTC' });
    expect(read.map(({ record }) => record)).toEqual([
      { unit: 'reads', user: 'a' },
      { unit: 'other', amount: '3', user: 'b' },
      { unit: 'other', amount: '3', user: 'c' },
    ]);
  });
  it('is named when nothing fits it, when its time is none, and when it is too long', () => {
    const body = `nonsense\n2024-13-10T10:00:00Z INFO unit=u user=a@b n=1\n${'x'.repeat(5_000)}`;
    const { read, rejected } = readLogLines(body, format(access));
    expect([read, rejected.map(({ index, field, code }) => [index, field, code])]).toEqual([
      [],
      [
        [0, '', 'no-pattern'],
        [1, 'time', 'invalid'],
        [2, '', 'line-too-long'],
      ],
    ]);
  });
  it('keeps percent and plus signs as they are', () => {
    const { read } = readLogLines('100%+1 a', format('%{NOTSPACE:unit} %{WORD:user}'));
    expect(read[0]?.record).toEqual({ unit: '100%+1', user: 'a' });
  });
});

describe('the time of a line', () => {
  it.each([
    ['2024-05-10T10:00:00.123+09:00', '2024-05-10T01:00:00.123Z'],
    ['2024-05-10T10:00:00.123Z', '2024-05-10T10:00:00.123Z'],
    ['2024-05-10T10:00:00.123', '2024-05-10T08:00:00.123Z'],
    ['2024-05-10T10:00:00', '2024-05-10T08:00:00Z'],
    ['2024-05-10 10:00:00,5', '2024-05-10T08:00:00.500Z'],
    ['10.05.2024 10:00:00', '2024-05-10T08:00:00Z'],
    ['10.01.2024', '2024-01-09T23:00:00Z'],
    ['1715335200000', '2024-05-10T10:00:00Z'],
  ])('%s is %s in Berlin', (text, instant) => {
    expect(lineTimeMs(text, 'Europe/Berlin')).toBe(ms(instant));
  });
  it.each(['30.02.2024', '2024-02-30T00:00:00', '2024-05-10T25:00:00Z', 'yesterday', ''])('%s is none', (text) => {
    expect(lineTimeMs(text, 'Europe/Berlin')).toBeNull();
  });
});

describe('a pattern', () => {
  const fault = (pattern: string): string | null => {
    const read = linePattern({ pattern, constants: {} });
    return 'code' in read ? read.code : null;
  };
  it('has variables that there are, for fields that there are, once', () => {
    expect(fault('%{NONSENSE:unit}')).toBe('unknown-variable');
    expect(fault('%{WORD:colour}')).toBe('unknown-field');
    expect(fault('%{WORD:unit} %{WORD:unit}')).toBe('field-twice');
    expect(fault('(a+)+$ %{WORD:unit}')).toBeNull();
  });
  it('may leave little open, so that no line takes long to match', () => {
    expect(fault('%{DATA}%{DATA:unit}%{DATA}%{WORD}')).toBe('ambiguous');
    const worst = linePattern({ pattern: '%{DATA}a%{DATA}a%{WORD:unit}!', constants: {} });
    const started = process.cpuUsage().user;
    expect('match' in worst && worst.match('a'.repeat(2_048))).toBeNull();
    expect(process.cpuUsage().user - started).toBeLessThan(5_000_000);
    expect(fault('%{NUMBER}%{WORD:unit}')).toBe('ambiguous');
  });
  it('is refused with its place in the list', () => {
    const { patterns } = format('%{WORD:unit}', '%{NO:unit}');
    expect(logFormat.decide({ patterns, timeZone: 'UTC' }, logFormat.initial)).toMatchObject({
      rejected: { faults: [{ pointer: '/patterns/1/pattern', code: 'unknown-variable' }] },
    });
  });
});
