/**
 * Runs TypeScript in Node without a build step: each file is compiled by SWC once and kept under node_modules/.cache,
 * keyed by its content, so that a second start compiles nothing. `@billstream/…` resolves by the paths of tsconfig.base.json.
 */
const crypto = require('node:crypto');
const fs = require('node:fs');
const Module = require('node:module');
const path = require('node:path');
const swc = require('@swc/core');
const { options, paths, root } = require('./swc.cjs');

const cacheFolder = path.join(root, 'node_modules', '.cache', 'billstream-swc');
const version = crypto.createHash('sha1').update(JSON.stringify(options)).update(swc.version).digest('hex').slice(0, 8);
let cacheUsable = true;
try {
  fs.mkdirSync(cacheFolder, { recursive: true });
} catch {
  cacheUsable = false; // a read-only installation still runs, only slower
}

const compile = (filename) => {
  const source = fs.readFileSync(filename, 'utf8');
  const key = crypto.createHash('sha1').update(version).update(filename).update(source).digest('hex');
  const cached = path.join(cacheFolder, `${key}.js`);
  if (cacheUsable && fs.existsSync(cached)) return fs.readFileSync(cached, 'utf8');
  const { code } = swc.transformSync(source, { ...options, filename, swcrc: false, configFile: false });
  if (cacheUsable) {
    try {
      const partial = `${cached}.${process.pid}`;
      fs.writeFileSync(partial, code);
      fs.renameSync(partial, cached);
    } catch {
      cacheUsable = false; // made by another user
    }
  }
  return code;
};

Module._extensions['.ts'] = (module, filename) => module._compile(compile(filename), filename);

const exact = new Map();
const patterns = [];
for (const [name, [target]] of Object.entries(paths)) {
  if (name.endsWith('*')) patterns.push([name.slice(0, -1), target.split('*')]);
  else exact.set(name, path.join(root, target));
}
const resolve = Module._resolveFilename;
Module._resolveFilename = function (request, ...rest) {
  if (request.startsWith('@billstream/')) {
    const file = exact.get(request);
    if (file) return file;
    for (const [prefix, [before, after]] of patterns)
      if (request.startsWith(prefix)) return path.join(root, before + request.slice(prefix.length) + after);
  }
  return resolve.call(this, request, ...rest);
};
require('reflect-metadata');

module.exports = { compile };
