import { rateLimiter } from './rate-limit';

const limit = { perSecond: 10, burst: 2 };

describe('a rate limit', () => {
  it('lets a burst through, then as many as the rate gives, for each caller and kind of work apart', () => {
    let time = 0;
    const take = rateLimiter({ read: limit, write: limit, ingest: limit }, () => time);
    expect([take('a', 'read'), take('a', 'read'), take('a', 'read')]).toEqual([null, null, 1]);
    expect([take('b', 'read'), take('a', 'write')]).toEqual([null, null]);
    time = 100;
    expect([take('a', 'read'), take('a', 'read')]).toEqual([null, 1]);
  });
  it('says how long to wait', () => {
    const take = rateLimiter({ read: limit, write: { perSecond: 0.1, burst: 1 }, ingest: limit }, () => 0);
    expect([take('a', 'write'), take('a', 'write')]).toEqual([null, 10]);
  });
});
