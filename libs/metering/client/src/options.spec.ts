import { type MeteringClientOptions, settingsOf } from './options';

const credentials = { user: 'u', password: 'p', apiKey: 'k', apiSecret: 's' };
const least = { url: 'http://127.0.0.1:8080/', directory: '/var/spool/usage', credentials };

describe('options', () => {
  it('need a server, credentials and a folder; the rest has defaults', () => {
    expect(settingsOf(least)).toMatchObject({
      url: 'http://127.0.0.1:8080',
      source: 'metering-client',
      spool: { bytesMax: 268_435_456, segmentBytes: 8_388_608, whenFull: 'REJECT', durability: 'DISK' },
      shipping: { batchMax: 1_000, lingerMs: 200, timeoutMs: 30_000, retryMs: 200, retryMaxMs: 30_000 },
      limits: { staleAfterMs: 45_000, timeoutMs: 1_000, whenUnavailable: 'LAST_KNOWN', usersMax: 10_000 },
    });
  });
  it.each([
    ['url', { url: 'billing.example.com' }],
    ['url', { url: 'ftp://billing.example.com' }],
    ['credentials.apiSecret', { credentials: { ...credentials, apiSecret: '' } }],
    ['directory', { directory: '' }],
    ['source', { source: 'x'.repeat(256) }],
    ['spool.segmentBytes', { spool: { segmentBytes: 1_000 } }],
    ['spool.bytesMax', { spool: { bytesMax: 8_388_608 } }],
    ['spool.whenFull', { spool: { whenFull: 'FORGET' } }],
    ['spool.durability', { spool: { durability: 'NONE' } }],
    ['shipping.batchMax', { shipping: { batchMax: 1_001 } }],
    ['shipping.retryMaxMs', { shipping: { retryMs: 50, retryMaxMs: 10 } }],
    ['shipping.lingerMs', { shipping: { lingerMs: -1 } }],
    ['limits.staleAfterMs', { limits: { staleAfterMs: 0.5 } }],
    ['limits.whenUnavailable', { limits: { whenUnavailable: 'MAYBE' } }],
  ])('are refused by name: %s', (field, change) => {
    const options = { ...least, ...change } as MeteringClientOptions;
    expect(() => settingsOf(options)).toThrow(expect.objectContaining({ code: 'invalid-option', field }));
  });
});
