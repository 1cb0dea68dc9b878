const { options, paths, root } = require('./tools/swc.cjs');
const path = require('node:path');

const moduleNameMapper = Object.fromEntries(
  Object.entries(paths).map(([name, [target]]) => [
    `^${name.replace('*', '(.*)')}$`,
    path.join(root, target.replace('*', '$1')),
  ]),
);

/** What every kind of test shares; see jest.config.js for the three kinds. */
module.exports = {
  rootDir: root,
  testEnvironment: 'node',
  transform: { '^.+\\.ts$': [require.resolve('@swc/jest'), { ...options, sourceMaps: 'inline', swcrc: false }] },
  moduleNameMapper,
  moduleFileExtensions: ['ts', 'js', 'cjs', 'mjs', 'json', 'node'],
  modulePathIgnorePatterns: ['<rootDir>/dist/'],
  setupFiles: ['reflect-metadata'],
};
