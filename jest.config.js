const preset = require('./jest.preset.js');

/** unit: no I/O, milliseconds. int: one real technology. system: the whole, through its public surfaces. */
module.exports = {
  projects: [
    {
      ...preset,
      displayName: 'unit',
      testMatch: ['<rootDir>/{apps,libs,tools}/**/*.spec.ts', '<rootDir>/*.spec.ts'],
      testPathIgnorePatterns: ['\\.int\\.spec\\.ts$', '<rootDir>/apps/system-tests/'],
    },
    {
      ...preset,
      displayName: 'int',
      testMatch: ['<rootDir>/{apps,libs,tools}/**/*.int.spec.ts'],
      testPathIgnorePatterns: ['<rootDir>/apps/system-tests/'],
    },
    { ...preset, displayName: 'system', testMatch: ['<rootDir>/apps/system-tests/**/*.spec.ts'] },
  ],
};
