/** One set of SWC options for everything that runs TypeScript: the services, the CLI and the tests. */
const path = require('node:path');
const root = path.resolve(__dirname, '..');
const { compilerOptions } = JSON.parse(require('node:fs').readFileSync(path.join(root, 'tsconfig.base.json'), 'utf8'));

exports.root = root;
exports.paths = compilerOptions.paths;
exports.options = {
  jsc: {
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
    target: 'es2022',
    keepClassNames: true,
  },
  module: { type: 'commonjs' },
  sourceMaps: 'inline',
};
