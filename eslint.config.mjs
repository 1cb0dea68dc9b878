import nx from '@nx/eslint-plugin';
import tseslint from 'typescript-eslint';

const contexts = ['accounts', 'subscriptions', 'metering', 'invoicing', 'payments'];
const context = (name) => ({
  sourceTag: `scope:${name}`,
  onlyDependOnLibsWithTags: ['scope:shared', `scope:${name}`, 'type:contracts'],
});

/** Which room may look into which. The reasons stand in docs/architecture.md. */
export const boundaries = [
  {
    sourceTag: 'type:kernel',
    onlyDependOnLibsWithTags: ['type:kernel'],
    allowedExternalImports: ['decimal.js', 'temporal-polyfill', 'fast-check'],
  },
  { sourceTag: 'type:engine', onlyDependOnLibsWithTags: ['type:kernel'], allowedExternalImports: ['fast-check'] },
  { sourceTag: 'type:contracts', onlyDependOnLibsWithTags: ['type:kernel'], allowedExternalImports: [] },
  {
    sourceTag: 'type:domain',
    onlyDependOnLibsWithTags: ['type:kernel', 'type:engine', 'type:contracts'],
    allowedExternalImports: ['fast-check'],
  },
  {
    sourceTag: 'type:read-models',
    onlyDependOnLibsWithTags: ['type:kernel', 'type:engine', 'type:contracts', 'type:domain', 'adapter:postgres'],
    allowedExternalImports: ['fast-check'],
  },
  { sourceTag: 'type:gateways', onlyDependOnLibsWithTags: ['type:kernel', 'type:contracts'] },
  // Published for others: it brings nothing of this repository with it, and no package.
  { sourceTag: 'type:client', onlyDependOnLibsWithTags: ['type:client'], allowedExternalImports: [] },
  { sourceTag: 'type:store-server', onlyDependOnLibsWithTags: [] },
  {
    sourceTag: 'type:adapter',
    onlyDependOnLibsWithTags: ['type:kernel', 'type:engine', 'type:adapter', 'type:contracts'],
  },
  {
    sourceTag: 'type:service',
    onlyDependOnLibsWithTags: [
      'type:kernel',
      'type:engine',
      'type:adapter',
      'type:domain',
      'type:contracts',
      'type:read-models',
      'type:gateways',
    ],
  },
  { sourceTag: 'type:gateway', onlyDependOnLibsWithTags: ['type:kernel', 'type:adapter'] },
  { sourceTag: 'type:emulator', onlyDependOnLibsWithTags: ['type:kernel'] },
  { sourceTag: 'type:store-process', onlyDependOnLibsWithTags: ['type:store-server'] },
  {
    sourceTag: 'type:tool',
    onlyDependOnLibsWithTags: [
      'type:kernel',
      'type:engine',
      'type:adapter',
      'type:domain',
      'type:contracts',
      'type:read-models',
    ],
  },
  { sourceTag: 'type:composition', onlyDependOnLibsWithTags: ['*'] },
  { sourceTag: 'type:system-tests', onlyDependOnLibsWithTags: ['*'] },
  { sourceTag: 'type:testing', onlyDependOnLibsWithTags: [] },
  { sourceTag: 'scope:shared', onlyDependOnLibsWithTags: ['scope:shared'] },
  ...contexts.map(context),
];

const pure = {
  'no-restricted-globals': [
    'error',
    ...['Date', 'process', 'setTimeout', 'setInterval', 'setImmediate', 'fetch', 'console', 'crypto'].map((name) => ({
      name,
      message: 'A decision is a pure function of events, command and clock.',
    })),
  ],
  'no-restricted-properties': [
    'error',
    { object: 'Math', property: 'random', message: 'Derive ids from the command.' },
  ],
  'no-restricted-imports': [
    'error',
    { patterns: [{ group: ['node:*', 'fs', 'crypto', 'fast-check'], message: 'No I/O and no randomness here.' }] },
  ],
};
const specs = ['**/*.spec.ts', '**/testing/**/*.ts', 'tools/**/*.ts', 'apps/system-tests/**/*.ts'];

/** Specs may use the test databases, brokers and proxies, and whatever package helps a test. */
const inSpecs = boundaries.map(({ allowedExternalImports, ...rule }) => ({
  ...rule,
  onlyDependOnLibsWithTags: [...rule.onlyDependOnLibsWithTags, 'type:testing', 'type:store-server'],
}));
const enforce = (depConstraints, allow = []) => [
  'error',
  { allow, banTransitiveDependencies: false, checkDynamicDependenciesExceptions: ['.*'], depConstraints },
];

export default tseslint.config(
  { ignores: ['**/node_modules', '**/dist', 'tools/fixtures/**', '**/*.cjs', '**/*.js', '**/*.mjs'] },
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { '@nx': nx },
    rules: {
      '@nx/enforce-module-boundaries': enforce(boundaries),
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/consistent-type-imports': [
        'error',
        { fixStyle: 'inline-type-imports', disallowTypeAnnotations: false },
      ],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true, allow: [{ name: ['bigint'], from: 'lib' }] },
      ],
      '@typescript-eslint/no-extraneous-class': 'off',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      'max-lines': ['error', { max: 400 }],
      'max-lines-per-function': ['error', { max: 70, skipComments: true, skipBlankLines: true }],
      complexity: ['error', 14],
      'max-params': 'off',
      '@typescript-eslint/max-params': ['error', { max: 4 }],
      'no-restricted-syntax': [
        'error',
        { selector: 'ExportDefaultDeclaration', message: 'Name what you export.' },
        { selector: 'ExportAllDeclaration', message: 'List what you export.' },
        { selector: 'TSEnumDeclaration', message: 'Use a union of literals.' },
      ],
    },
  },
  { files: ['libs/*/domain/src/**/*.ts', 'libs/kernel/src/**/*.ts'], ignores: specs, rules: pure },
  // The kernel's three named exceptions: clock.ts and instant.ts hold the only `Date`, ids.ts the only randomness.
  {
    files: ['libs/kernel/src/{clock,instant,ids}.ts'],
    rules: { 'no-restricted-globals': 'off', 'no-restricted-imports': 'off' },
  },
  {
    files: ['apps/*/src/**/*.ts', 'libs/**/*.ts'],
    ignores: [...specs, 'apps/*/src/main.ts', 'libs/adapters/config/**'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector: "MemberExpression[object.name='process'][property.name='env']",
          message: 'Read the environment in config.',
        },
        { selector: 'ExportDefaultDeclaration', message: 'Name what you export.' },
        { selector: 'ExportAllDeclaration', message: 'List what you export.' },
        { selector: 'TSEnumDeclaration', message: 'Use a union of literals.' },
      ],
    },
  },
  {
    files: specs,
    rules: {
      '@nx/enforce-module-boundaries': enforce(inSpecs),
      'max-lines-per-function': 'off',
      '@typescript-eslint/max-params': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/require-await': 'off',
      // `json<T>()`: whoever asked knows what comes back.
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
    },
  },
  {
    // A gateway's contract is proven against the emulator, which is an app so that no product code can lean on it.
    files: ['libs/payments/gateways/**/*.int.spec.ts', 'apps/payments/src/**/*.int.spec.ts'],
    rules: { '@nx/enforce-module-boundaries': enforce(inSpecs, ['@billstream/app/gateway-emulator']) },
  },
  {
    // Nx forbids importing an app. These two are made of apps: that is what they are for.
    files: ['apps/standalone/**/*.ts', 'apps/system-tests/**/*.ts', 'tools/**/*.ts'],
    rules: {
      // Scenarios share their client and the crash run with tools, which is no project of its own.
      '@nx/enforce-module-boundaries': enforce(inSpecs, [
        '@billstream/app/*',
        '../../../tools/**',
        '../../../../tools/**',
        '../../../../../tools/**',
      ]),
    },
  },
  // The child gets a clean environment, so this adapter looks at its own.
  { files: ['libs/adapters/embedded-postgres/src/cluster.ts'], rules: { 'no-restricted-syntax': 'off' } },
);
