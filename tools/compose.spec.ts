import { PlatformConfig, ServiceConfig, loadConfig } from '@billstream/config';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';

/** No container engine is needed to see that the files fit together: names, settings, and what an image is made from. */
const root = path.resolve(__dirname, '..');
const text = (file: string): string => readFileSync(path.join(root, file), 'utf8');

type Service = {
  readonly image?: string;
  readonly build?: { readonly context: string; readonly dockerfile: string; readonly args: { readonly APP: string } };
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: object;
};
type Compose = {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, object>>;
};

const compose = parse(text('docker-compose.yml'), { merge: true }) as Compose;
const services = Object.entries(compose.services);
const contexts = ['accounts', 'subscriptions', 'metering', 'invoicing', 'payments'];

/** As compose would fill the variables in; those that must be given are given something. */
const filled = (environment: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [
      name,
      value
        .replace(/\$\{(\w+):\?[^}]*\}/g, (_, variable: string) =>
          variable === 'SECRETS_KEY' ? 'ab'.repeat(32) : `given-${variable}-of-length`,
        )
        .replace(/\$\{\w+:-([^}]*)\}/g, '$1'),
    ]),
  );

describe('docker-compose.yml', () => {
  it('has every service, the gateway, the stores, and nothing without an image', () => {
    expect(Object.keys(compose.services)).toEqual(
      expect.arrayContaining([...contexts, 'gateway', 'gateway-emulator', 'postgres', 'rabbitmq', 'eventstore']),
    );
    for (const [name, { image, build }] of services)
      expect([name, image !== undefined || build !== undefined]).toEqual([name, true]);
  });

  it('names images with a version', () => {
    const images = services.flatMap(([, { image }]) => (image === undefined ? [] : [image]));
    expect(images.length).toBeGreaterThanOrEqual(3);
    for (const image of images) expect(image).toMatch(/^[\w./-]+:[\w.-]*\d[\w.-]*$/);
  });

  it.each(contexts)('gives %s a configuration that it accepts', (name) => {
    const environment = compose.services[name]?.environment ?? {};
    for (const variable of [
      'DATABASE_URL',
      'RABBITMQ_URL',
      'EVENTSTORE_URL',
      'SECRETS_KEY',
      'INNER_SECRET',
      'HOST',
      'PORT',
    ])
      expect(Object.keys(environment)).toContain(variable);
    expect(loadConfig(ServiceConfig, filled(environment))).toMatchObject({ PORT: 8080, HOST: '0.0.0.0' });
  });

  it('tells the gateway where each service is, and opens it and the emulator on this machine alone', () => {
    const { environment = {}, ports } = compose.services['gateway'] ?? {};
    for (const name of contexts) expect(environment[`${name.toUpperCase()}_URL`]).toBe(`http://${name}:8080`);
    expect(() => loadConfig(PlatformConfig, filled(environment))).not.toThrow();
    expect(ports).toEqual(['127.0.0.1:8080:8080']);
    for (const [, { ports: opened = [] }] of services)
      for (const port of opened) expect(port).toMatch(/^127\.0\.0\.1:/);
  });

  it('has no secret in it: each must be given from outside', () => {
    for (const [name, { environment = {} }] of services)
      for (const [variable, value] of Object.entries(environment))
        if (/PASS|SECRET|KEY/.test(variable))
          expect([name, variable, value]).toEqual([name, variable, expect.stringMatching(/^\$\{\w+:[?-]/)]);
    expect(text('docker-compose.yml').match(/:\/\/\w+:(?!\$\{)[^@/\s]+@/)).toBeNull();
  });

  it('waits only for services that can say that they are healthy, and mounts only volumes that it declares', () => {
    for (const [name, { depends_on: needed = {}, volumes = [] }] of services) {
      for (const other of Object.keys(needed))
        expect([name, other, compose.services[other]?.healthcheck]).toEqual([name, other, expect.any(Object)]);
      for (const volume of volumes) expect(Object.keys(compose.volumes)).toContain(volume.split(':')[0]);
    }
  });

  it('builds each image from an application that is there', () => {
    const built = services.flatMap(([, { build }]) => (build === undefined ? [] : [build]));
    expect(built.length).toBe(contexts.length + 2);
    for (const { context, dockerfile, args } of built) {
      expect(existsSync(path.join(root, context, dockerfile))).toBe(true);
      expect([args.APP, existsSync(path.join(root, 'apps', args.APP, 'src/main.ts'))]).toEqual([args.APP, true]);
    }
  });
});

describe('the Dockerfile', () => {
  const lines = text('deploy/docker/Dockerfile').split('\n');

  it('copies only what is there', () => {
    const copied = lines
      .filter((line) => line.startsWith('COPY ') && !line.includes('--from='))
      .flatMap((line) => line.split(/\s+/).slice(1, -1));
    expect(copied.length).toBeGreaterThan(5);
    expect(copied.filter((file) => !existsSync(path.join(root, file)))).toEqual([]);
  });

  it('runs only programs that it has copied', () => {
    const copied = new Set(
      lines.filter((line) => line.startsWith('COPY ')).flatMap((line) => line.split(/\s+/).slice(1, -1)),
    );
    const used = lines
      .filter((line) => /^(RUN|CMD)/.test(line))
      .flatMap((line) => [...line.matchAll(/tools\/[\w.-]+/g)].map(([file]) => file));
    expect(used.length).toBeGreaterThan(1);
    expect(used.filter((file) => !copied.has(file) || !existsSync(path.join(root, file)))).toEqual([]);
  });

  it('does not run as root', () => {
    expect(lines.findIndex((line) => /^USER (?!root)/.test(line))).toBeGreaterThan(
      lines.findIndex((line) => line.startsWith('RUN')),
    );
  });
});
