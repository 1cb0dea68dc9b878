import { ConfigurationError, loadConfig } from './load-config';
import { PlatformConfig, ServiceConfig } from './platform-config';

const complete = {
  DATABASE_URL: 'postgres://db/billing',
  RABBITMQ_URL: 'amqp://guest@broker',
  EVENTSTORE_URL: 'esdb://store:2113?tls=false',
  SECRETS_KEY: 'ab'.repeat(32),
  INNER_SECRET: 'sixteen letters!',
};

describe('configuration', () => {
  it('reads numbers and switches, keeps defaults, ignores what it does not know, and cannot be changed', () => {
    const config = loadConfig(ServiceConfig, { ...complete, PORT: '3002', TEST_CLOCK: '1', HOME: '/root' });
    expect(config).toMatchObject({ PORT: 3002, TEST_CLOCK: true, HOST: '127.0.0.1', LOG_LEVEL: 'info' });
    expect(config).not.toHaveProperty('HOME');
    expect(Object.isFrozen(config)).toBe(true);
  });

  it('names all problems together and shows no value', () => {
    const attempt = () =>
      loadConfig(ServiceConfig, { ...complete, PORT: '99999', SECRETS_KEY: 'hunter2', DATABASE_URL: '' });
    expect(attempt).toThrow(ConfigurationError);
    try {
      attempt();
    } catch (error) {
      const { problems, message } = error as ConfigurationError;
      expect(problems).toHaveLength(3);
      expect(message).toContain('DATABASE_URL must be a postgres:// URL');
      expect(message).toContain('SECRETS_KEY must be 32 bytes in hex');
      expect(message).toContain('PORT must not be greater than 65535');
      expect(message).not.toContain('hunter2');
    }
  });

  it('needs nothing where everything can be embedded', () => {
    expect(loadConfig(PlatformConfig, { DATABASE_URL: ' ' })).toMatchObject({
      PORT: 8080,
      DATA_DIR: '.billstream',
      PAYPAL_MODE: 'emulator',
    });
    expect(loadConfig(PlatformConfig, {}).DATABASE_URL).toBeUndefined();
    expect(() => loadConfig(PlatformConfig, { TEST_CLOCK: 'perhaps' })).toThrow('TEST_CLOCK must be a boolean value');
  });
});
