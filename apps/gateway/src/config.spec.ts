import { gatewayConfig } from './config';

const whole = {
  ACCOUNTS_URL: 'http://a:1',
  SUBSCRIPTIONS_URL: 'http://s:1',
  METERING_URL: 'http://m:1',
  INVOICING_URL: 'http://i:1',
  PAYMENTS_URL: 'http://p:1',
  INNER_SECRET: '0123456789abcdef',
};

describe('the gateway’s configuration', () => {
  it('listens on 8080 and, where it is named, on a second port', () => {
    expect(gatewayConfig(whole)).toMatchObject({ ports: [8080], testClock: false });
    expect(
      gatewayConfig({ ...whole, PORT: '80', KILLBILL_PORT: '9090', TEST_CLOCK: '1', RATE_LIMITS: 'off' }),
    ).toMatchObject({ ports: [80, 9090], testClock: true, limits: null });
  });
  it('names everything that is wrong at once', () => {
    expect(() => gatewayConfig({ ...whole, ACCOUNTS_URL: 'accounts', PORT: 'x', INNER_SECRET: '' })).toThrow(
      /PORT[^]*ACCOUNTS_URL[^]*INNER_SECRET/,
    );
  });
});
