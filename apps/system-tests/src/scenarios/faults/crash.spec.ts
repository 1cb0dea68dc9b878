import { faultsOf, isGood, linesOf } from '../../../../../tools/crash/report';
import { type CrashOptions, crashRun } from '../../../../../tools/crash/run';

const given = (name: string): string | null => {
  const value = process.env[name] ?? '';
  return value === '' ? null : value;
};
const databaseUrl = given('TEST_DATABASE_URL');
const rabbitMqUrl = given('TEST_RABBITMQ_URL');
const seed = given('CRASH_SEED') ?? String(Date.now() % 1_000_000);

const said: string[] = [];
const small: CrashOptions = {
  mode: 'standalone',
  accounts: 10,
  kills: 10,
  cuts: 0,
  seed,
  isNegative: false,
  databaseUrl: null,
  rabbitMqUrl: null,
  gapMs: 800,
  say: (text) => said.push(text),
};

const ofServices = databaseUrl !== null && rabbitMqUrl !== null ? describe : describe.skip;

describe('a day of ten accounts', () => {
  afterEach(() => {
    said.length = 0;
  });

  it('comes out right although the process is killed ten times', async () => {
    const report = await crashRun(small);
    expect({ seed, wrong: isGood(report) ? [] : linesOf(report) }).toEqual({ seed, wrong: [] });
    expect(faultsOf(report, 'kill')).toBe(10);
    expect(report.usage.accepted).toBeGreaterThan(500);
    expect(report.charges.made).toBeGreaterThanOrEqual(20);
  }, 240_000);

  it('does not come out right when repeats are not recognised', async () => {
    const report = await crashRun({ ...small, accounts: 5, kills: 3, isNegative: true });
    expect({ seed, accountsWithDifferences: report.differences.length }).not.toEqual({
      seed,
      accountsWithDifferences: 0,
    });
    expect(report.usage.doubled).toBeGreaterThan(0);
    expect(isGood(report)).toBe(false);
  }, 240_000);
});

ofServices('a day of ten accounts on services of their own (TEST_DATABASE_URL and TEST_RABBITMQ_URL)', () => {
  it('comes out right although services are killed ten times and connections are cut five times', async () => {
    const report = await crashRun({ ...small, mode: 'services', cuts: 5, databaseUrl, rabbitMqUrl });
    expect({ seed, wrong: isGood(report) ? [] : linesOf(report) }).toEqual({ seed, wrong: [] });
    expect([faultsOf(report, 'kill'), faultsOf(report, 'cut')]).toEqual([10, 5]);
  }, 240_000);
});
