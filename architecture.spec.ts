import { readFileSync, readdirSync, statSync, existsSync } from 'node:fs';
import path from 'node:path';

/** What lint cannot say about the house: every room is tagged, sized, explained, and depends in one direction. */
const root = __dirname;
const skipped = new Set(['node_modules', 'dist', '.git', '.nx', 'tmp', 'coverage']);
const walk = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    skipped.has(entry.name) || entry.name.startsWith('.billstream')
      ? []
      : entry.isDirectory()
        ? walk(path.join(folder, entry.name))
        : [path.join(folder, entry.name)],
  );
const files = ['apps', 'libs', 'tools'].flatMap((folder) => walk(path.join(root, folder)));
const sources = files.filter((file) => /\.(ts|cjs|mjs)$/.test(file));
const projects = files
  .filter((file) => file.endsWith('project.json'))
  .map((file) => JSON.parse(readFileSync(file, 'utf8')) as { name: string; root: string; tags: string[] });
const short = (file: string): string => path.relative(root, file);

describe('every project', () => {
  it('has exactly one type and one scope, else it would escape the boundary rules', () => {
    expect(projects.length).toBeGreaterThan(25);
    for (const { name, tags } of projects)
      expect([
        name,
        tags.filter((tag) => tag.startsWith('type:')).length,
        tags.filter((tag) => tag.startsWith('scope:')).length,
      ]).toEqual([name, 1, 1]);
  });

  it('owns its files: no source lies outside of a project or of tools', () => {
    const roots = [...projects.map((project) => `${project.root}/`), 'tools/'];
    expect(sources.map(short).filter((file) => !roots.some((folder) => file.startsWith(folder)))).toEqual([]);
  });

  it('is reached by its name: each alias points to a file', () => {
    const { compilerOptions } = JSON.parse(readFileSync(path.join(root, 'tsconfig.base.json'), 'utf8')) as {
      compilerOptions: { paths: Record<string, string[]> };
    };
    const missing = Object.entries(compilerOptions.paths).filter(
      ([alias, [target]]) => !alias.includes('*') && !existsSync(path.join(root, target ?? '')),
    );
    expect(missing).toEqual([]);
  });
});

describe('files', () => {
  it('have at most 400 lines', () => {
    const long = sources.filter((file) => readFileSync(file, 'utf8').split('\n').length > 401).map(short);
    expect(long).toEqual([]);
  });

  it('are named for what they hold', () => {
    expect(
      files
        .map(short)
        .filter(
          (file) =>
            /(^|\/)(utils?|helpers?|common|shared|misc|core)(\/|\.ts$)/.test(file) &&
            !file.startsWith('apps/gateway-emulator/src/core/'),
        ),
    ).toEqual([]);
  });
});

describe('every domain', () => {
  const domains = ['accounts', 'subscriptions', 'metering', 'invoicing', 'payments'];
  it.each(domains)(
    '%s says what it owns, does not own, what its dates mean, what always holds, and its words',
    (context) => {
      const readme = readFileSync(path.join(root, 'libs', context, 'domain', 'README.md'), 'utf8');
      for (const heading of ['## Owns', '## Does not own', '## What each date means', '## Invariants', '## Words'])
        expect(readme).toContain(heading);
    },
  );
});

describe('projects', () => {
  const projectOf = (file: string): string | null =>
    projects.find((project) => short(file).startsWith(`${project.root}/`))?.name ?? null;
  const aliases = new Map(
    Object.entries(
      (
        JSON.parse(readFileSync(path.join(root, 'tsconfig.base.json'), 'utf8')) as {
          compilerOptions: { paths: Record<string, string[]> };
        }
      ).compilerOptions.paths,
    ).map(([alias, [target]]): [string, string] => [alias, target ?? '']),
  );
  const targetOf = (request: string): string | null => {
    const exact = aliases.get(request);
    if (exact !== undefined) return projectOf(path.join(root, exact));
    return request.startsWith('@billstream/app/')
      ? projectOf(path.join(root, 'apps', request.slice('@billstream/app/'.length), 'src/index.ts'))
      : null;
  };

  it('do not depend on each other in a circle', () => {
    const edges = new Map<string, Set<string>>();
    for (const file of sources.filter((source) => source.endsWith('.ts') && !/\.spec\.ts$|\/testing\//.test(source))) {
      const from = projectOf(file);
      for (const [, request = ''] of readFileSync(file, 'utf8').matchAll(/from '(@billstream\/[^']+)'/g)) {
        const to = targetOf(request);
        if (from !== null && to !== null && from !== to) edges.set(from, (edges.get(from) ?? new Set()).add(to));
      }
    }
    const circle = (name: string, way: readonly string[]): readonly string[] | null => {
      if (way.includes(name)) return [...way.slice(way.indexOf(name)), name];
      for (const next of edges.get(name) ?? []) {
        const found = circle(next, [...way, name]);
        if (found) return found;
      }
      return null;
    };
    expect(edges.size).toBeGreaterThan(15);
    for (const name of edges.keys()) expect(circle(name, [])).toBeNull();
  });
});

describe('the front page', () => {
  it('gives both commands', () => {
    const readme = readFileSync(path.join(root, 'README.md'), 'utf8');
    expect(readme).toContain('npm ci && npm start');
    expect(readme).toContain('npm ci && npm test');
  });
  it('links only to files that are there', () => {
    const pages = [path.join(root, 'README.md'), ...walk(path.join(root, 'docs'))].filter(
      (file) => file.endsWith('.md') && statSync(file).isFile(),
    );
    const broken = pages.flatMap((page) =>
      [...readFileSync(page, 'utf8').matchAll(/\]\((?!https?:|#)([^)#]+)/g)]
        .map(([, link = '']) => path.resolve(path.dirname(page), link))
        .filter((target) => !existsSync(target)),
    );
    expect(broken.map(short)).toEqual([]);
  });
});
