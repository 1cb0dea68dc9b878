import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { countingServer, newFolder } from './testing/counting-server';

const run = promisify(execFile);
const root = path.resolve(__dirname, '../../../..');
const project = path.resolve(__dirname, '..');

/** A folder of somebody else, who has installed what would be published. */
const shop = newFolder();
const installed = path.join(shop, 'node_modules/@billstream/metering-client');
let server: Awaited<ReturnType<typeof countingServer>>;
beforeAll(async () => {
  server = await countingServer();
  server.limits.set('jane', []);
  await run('npm', ['pack', '--silent', '--pack-destination', shop], { cwd: project });
  mkdirSync(installed, { recursive: true });
  const [archive] = readdirSync(shop).filter((name) => name.endsWith('.tgz'));
  await run('tar', ['-xzf', path.join(shop, archive!), '-C', installed, '--strip-components=1']);
}, 120_000);
afterAll(() => server.close());

const program = (name: string, head: string): string => {
  const file = path.join(shop, name);
  writeFileSync(
    file,
    `${head}
async function main() {
  const client = await openMeteringClient({
    url: process.argv[2],
    credentials: { user: 'u', password: 'p', apiKey: 'k', apiSecret: 's' },
    directory: process.argv[3],
  });
  await client.record({ unit: 'calls', user: 'jane', amount: 2, id: ${JSON.stringify(name)} });
  const { allowed } = await client.check('jane', 'calls');
  const wrong = await client.record({ unit: '', user: 'jane' }).catch((error) => error);
  const { isEmpty } = await client.close();
  console.log(JSON.stringify({ allowed, isEmpty, refused: wrong instanceof MeteringClientError && wrong.field }));
}
main();
`,
  );
  return file;
};

describe('the published package', () => {
  it('brings its code and types, and needs nothing else', () => {
    const manifest = JSON.parse(readFileSync(path.join(installed, 'package.json'), 'utf8')) as Record<string, unknown>;
    expect(manifest).toMatchObject({ name: '@billstream/metering-client', license: 'Apache-2.0' });
    expect(manifest).not.toHaveProperty('dependencies');
    expect(readdirSync(installed).sort()).toEqual(['README.md', 'dist', 'package.json']);
    const shipped = readdirSync(path.join(installed, 'dist'));
    expect(shipped.filter((name) => /spec|testing/.test(name))).toEqual([]);
    for (const name of shipped.filter((file) => file.endsWith('.js')))
      for (const [, request] of readFileSync(path.join(installed, 'dist', name), 'utf8').matchAll(
        /require\("([^"]+)"\)/g,
      ))
        expect(request).toMatch(/^(node:|\.\/)/);
  });
  it.each([
    [
      'require',
      'shop.cjs',
      `const { openMeteringClient, MeteringClientError } = require('@billstream/metering-client');`,
    ],
    ['import', 'shop.mjs', `import { openMeteringClient, MeteringClientError } from '@billstream/metering-client';`],
  ])(
    'works in plain Node with %s, and lets the process end',
    async (_, name, head) => {
      const { stdout } = await run(process.execPath, [program(name, head), server.url, newFolder()], { cwd: shop });
      expect(JSON.parse(stdout)).toEqual({ allowed: true, isEmpty: true, refused: 'unit' });
      expect([...server.counted.values()].map(({ id }) => id)).toContain(name);
    },
    30_000,
  );
  it('keeps no process alive that does not close it; the next one sends what is left', async () => {
    const folder = newFolder();
    const careless = program('careless.cjs', `const { openMeteringClient } = require('@billstream/metering-client');`);
    const text = readFileSync(careless, 'utf8');
    writeFileSync(
      careless,
      text.slice(0, text.indexOf('  const wrong')).replace('directory:', 'shipping: { lingerMs: 60_000 }, directory:') +
        '}\nmain();\n',
    );
    await run(process.execPath, [careless, server.url, folder], { cwd: shop });
    expect([...server.counted.values()].map(({ id }) => id)).not.toContain('careless.cjs');
    const next = program(
      'next.cjs',
      `const { openMeteringClient, MeteringClientError } = require('@billstream/metering-client');`,
    );
    await run(process.execPath, [next, server.url, folder], { cwd: shop });
    expect([...server.counted.values()].map(({ id }) => id)).toContain('careless.cjs');
  }, 30_000);
  it('has types that fit, and refuse what does not', async () => {
    writeFileSync(
      path.join(shop, 'shop.ts'),
      `import { type LimitVerdict, type MeteringClient, openMeteringClient } from '@billstream/metering-client';
export const begin = (): Promise<MeteringClient> =>
  openMeteringClient({ url: '', directory: '', credentials: { user: '', password: '', apiKey: '', apiSecret: '' } });
export const use = async (client: MeteringClient): Promise<LimitVerdict> => {
  await client.record({ unit: 'calls', user: 'jane', amount: '0.1', time: new Date(), dimensions: { region: 'eu' } });
  // @ts-expect-error a unit is a name
  await client.record({ unit: 1, user: 'jane' });
  return client.check('jane', 'calls');
};
`,
    );
    const options = [
      '--noEmit',
      '--strict',
      '--module',
      'node16',
      '--moduleResolution',
      'node16',
      '--target',
      'es2022',
    ];
    const types = ['--types', 'node', '--typeRoots', path.join(root, 'node_modules/@types')];
    const tsc = path.join(root, 'node_modules/.bin/tsc');
    await expect(run(tsc, [...options, ...types, 'shop.ts'], { cwd: shop })).resolves.toMatchObject({ stdout: '' });
  }, 60_000);
});
