/**
 * Compiles what a service can load into the cache of register.cjs, so that an image starts without compiling:
 * `node tools/precompile.cjs libs apps/accounts`
 */
const fs = require('node:fs');
const path = require('node:path');
const { compile } = require('./register.cjs');

const isSource = (name) => name.endsWith('.ts') && !name.endsWith('.d.ts') && !name.endsWith('.spec.ts');
const sourcesIn = (folder) =>
  fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'testing' ? [] : sourcesIn(file);
    return isSource(entry.name) ? [file] : [];
  });

const files = process.argv.slice(2).flatMap((folder) => sourcesIn(path.resolve(folder)));
for (const file of files) compile(file);
console.log(`${files.length} files compiled`);
