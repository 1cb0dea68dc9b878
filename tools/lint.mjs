/**
 * Lints the workspace, after proving that the boundary rules bite: they silently allow everything when the project
 * graph is missing, and a lint that cannot fail is worth nothing. `node tools/lint.mjs [paths…]`
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { ESLint } from 'eslint';

process.env.NX_DAEMON = 'false';
const require = createRequire(import.meta.url);
const manifest = require.resolve('nx/package.json');
const binary = path.join(path.dirname(manifest), require(manifest).bin.nx);
mkdirSync('tmp', { recursive: true });
execFileSync(process.execPath, [binary, 'graph', '--file=tmp/graph.json'], { stdio: ['ignore', 'ignore', 'inherit'] });

/** Code that must be refused at that place, and the rule that must refuse it. */
const wrong = [
  {
    at: 'libs/kernel/src/clock.ts',
    code: `import { commandContext } from '@billstream/http';\nexport const x = commandContext;\n`,
    rule: '@nx/enforce-module-boundaries',
  },
  {
    at: 'libs/kernel/src/clock.ts',
    code: `import pg from 'pg';\nexport const x = pg;\n`,
    rule: '@nx/enforce-module-boundaries',
  },
  {
    at: 'libs/accounts/domain/src/index.ts',
    code: `import type { InvoicingEvent } from '@billstream/invoicing-domain';\nexport type X = InvoicingEvent;\n`,
    rule: '@nx/enforce-module-boundaries',
  },
  {
    at: 'libs/accounts/domain/src/index.ts',
    code: `export const now = (): number => Date.now();\n`,
    rule: 'no-restricted-globals',
  },
];
const eslint = new ESLint();
for (const { at, code, rule } of wrong) {
  const real = readFileSync(at, 'utf8'); // the place must exist, or the rules would not apply to it
  const [result] = await eslint.lintText(code, { filePath: at });
  // The type checker keeps the planted text for that file until it is given the real one again.
  await eslint.lintText(real, { filePath: at });
  if (!result?.messages.some((message) => message.ruleId === rule && message.severity === 2)) {
    console.error(`the rule ${rule} did not refuse this at ${at}:\n${code}`);
    console.error(result?.messages);
    process.exit(1);
  }
}
console.log(`boundaries: ${wrong.length} of ${wrong.length} planted violations refused`);

const results = await eslint.lintFiles(process.argv.length > 2 ? process.argv.slice(2) : ['apps', 'libs', 'tools']);
console.log(await (await eslint.loadFormatter('stylish')).format(results));
const errors = results.reduce((sum, result) => sum + result.errorCount + result.warningCount, 0);
console.log(`${results.length} files, ${errors} problems`);
process.exit(errors === 0 ? 0 : 1);
