import { tenantShares } from './tenant-shares';

/** A worker whose clock stands still until it is moved, and which always finds work of everybody it may take from. */
const worker = (tenants: readonly string[], limits = { concurrency: 64, tenantConcurrency: 8, slowMs: 1_000 }) => {
  let time = 0;
  const shares = tenantShares(limits, () => time);
  const open: { readonly tenant: string; readonly over: () => void }[] = [];
  const fill = (): void => {
    for (;;) {
      const { free, without } = shares.next();
      const tenant = tenants.find((one) => !without.includes(one));
      if (free <= 0 || tenant === undefined) return;
      for (let n = 0; n < free; n += 1) open.push({ tenant, over: shares.begin(tenant) });
    }
  };
  const end = (): void => {
    for (const { over } of open.splice(0)) over();
  };
  return { shares, fill, end, pass: (ms: number) => (time += ms) };
};
const names = (count: number): readonly string[] => Array.from({ length: count }, (_, nth) => `tenant-${nth}`);

describe('the shares of tenants', () => {
  it('leave room for others when several have filled theirs', () => {
    const { shares, fill } = worker(names(15));
    fill();
    expect(shares.running()).toBeLessThan(64);
    expect(shares.next().free).toBeGreaterThan(0);
    expect(shares.next().without).not.toContain('another');
  });

  it('are a quarter for those whose work hangs, however many they are', () => {
    const { shares, fill, end, pass } = worker(names(500));
    fill();
    expect(shares.running()).toBe(64);
    pass(15_000);
    expect(shares.next().free).toBe(0);
    end();
    // Those that were never at work are not known to hang; after that, everybody is.
    for (let round = 0; round < 40; round += 1) {
      fill();
      pass(15_000);
      end();
    }
    fill();
    expect(shares.running()).toBeLessThanOrEqual(16 + 8);
    expect(shares.next().free).toBeGreaterThan(0);
  });

  it('are whole again once work is quick', () => {
    const { shares, fill, end, pass } = worker(['one']);
    fill();
    const whole = shares.running('one');
    pass(2_000);
    end();
    fill();
    expect(shares.running('one')).toBeLessThan(whole * 2);
    pass(10);
    end();
    fill();
    expect(shares.running('one')).toBe(whole);
  });

  it('are all of it where tenants are not kept apart', () => {
    const { shares, fill, pass } = worker(['one'], { concurrency: 64, tenantConcurrency: 64, slowMs: 1_000 });
    pass(5_000);
    fill();
    expect(shares.running('one')).toBe(64);
  });
});
