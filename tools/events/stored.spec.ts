import { contexts } from '@billstream/app/replay';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { storedEvents } from './document';

/**
 * One event of each stored name and version, as the log holds it: `libs/<context>/domain/src/stored/<name>.v<n>.json`.
 * A file is written with its version and never changed, so that an old log stays readable. A new version gets a file that
 * says the same as the one before.
 */
const root = path.resolve(__dirname, '../..');
const folderOf = (context: string): string => path.join(root, 'libs', context, 'domain/src/stored');

const files = contexts.flatMap(({ name: context, aggregates }) =>
  readdirSync(folderOf(context)).map((file) => {
    const type = path.basename(file, '.json');
    const data = JSON.parse(readFileSync(path.join(folderOf(context), file), 'utf8')) as object;
    const decoded = () =>
      aggregates.flatMap((aggregate) => {
        const event = aggregate.schema.decode({ type, data });
        return event === null ? [] : [{ aggregate, event }];
      });
    return { context, type, decoded };
  }),
);

describe('events stored by any version', () => {
  it('are each kept in a file, and there is no file of a name that nobody knows', () => {
    const known = storedEvents().map(({ context, name }) => `${context} ${name}`);
    const current = files.filter(({ context, type }) => known.includes(`${context} ${type}`));
    const older = files.filter((file) => !current.includes(file) && file.decoded().length === 0);
    expect(current.map(({ context, type }) => `${context} ${type}`).sort()).toEqual(known.sort());
    expect(older.map(({ type }) => type)).toEqual([]);
  });

  it('say the same in each version', () => {
    const byName = new Map<string, object[]>();
    for (const { type, decoded } of files) {
      const name = type.replace(/\.v\d+$/, '');
      byName.set(name, [...(byName.get(name) ?? []), ...decoded().map(({ event }) => event)]);
    }
    expect(byName.size).toBeGreaterThan(100);
    for (const [name, [first, ...others]] of byName)
      for (const other of others) expect([name, other]).toEqual([name, first]);
  });

  it.each(contexts.flatMap(({ aggregates }) => aggregates.map((aggregate) => [aggregate.prefix, aggregate] as const)))(
    'lead to the same state as if they were stored today: %s',
    (_, { prefix, schema, initial, evolve }) => {
      // A schema names what begins a stream first.
      const order = Object.keys(schema.names);
      const own = files
        .flatMap(({ decoded }) => decoded().flatMap((one) => (one.aggregate.prefix === prefix ? [one.event] : [])))
        .sort((a, b) => order.indexOf(a.type) - order.indexOf(b.type));
      const again = own.map((event) => {
        const { type, data } = schema.encode(event);
        return schema.decode({ type, data: JSON.parse(JSON.stringify(data)) as object });
      });
      expect(own.length).toBeGreaterThan(0);
      expect(again.reduce<unknown>((state, event) => (event === null ? state : evolve(state, event)), initial)).toEqual(
        own.reduce<unknown>((state, event) => evolve(state, event), initial),
      );
    },
  );
});
