const preset = require('./jest.preset.js');

/** Without TEST_DATABASE_URL, these tests share one embedded PostgreSQL that lives as long as the run. */
const withPostgres = {
  globalSetup: '<rootDir>/tools/testing/global-setup.cjs',
  globalTeardown: '<rootDir>/tools/testing/global-teardown.cjs',
};

/**
 * unit: no I/O, milliseconds. int: one real technology. system: the whole, through its public surfaces. A test has 30 s:
 * what waits for real services does so beside another worker.
 */
module.exports = {
  testTimeout: 30_000,
  projects: [
    {
      ...preset,
      displayName: 'unit',
      testMatch: ['<rootDir>/{apps,libs,tools}/**/*.spec.ts', '<rootDir>/architecture.spec.ts'],
      testPathIgnorePatterns: ['\\.int\\.spec\\.ts$', '<rootDir>/apps/system-tests/'],
    },
    {
      ...preset,
      ...withPostgres,
      displayName: 'int',
      testMatch: ['<rootDir>/{apps,libs,tools}/**/*.int.spec.ts'],
      testPathIgnorePatterns: ['<rootDir>/apps/system-tests/'],
    },
    {
      ...preset,
      ...withPostgres,
      displayName: 'system',
      testMatch: ['<rootDir>/apps/system-tests/**/*.spec.ts'],
    },
  ],
};
