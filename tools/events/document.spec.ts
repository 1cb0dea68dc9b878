import { contexts } from '@billstream/app/replay';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { eventsDocument, listeners, publicEvents, storedEvents } from './document';

const root = path.resolve(__dirname, '../..');

describe('the list of events', () => {
  it('is fresh: npm run docs:events writes what stands in docs/events.md', () => {
    expect(readFileSync(path.join(root, 'docs/events.md'), 'utf8')).toBe(eventsDocument());
  });

  it('has a stored event for every kind of stream that is folded', () => {
    const stored = storedEvents();
    expect(new Set(stored.map(({ name }) => name)).size).toBe(stored.length);
    for (const { name, aggregates } of contexts) {
      const known = new Set(stored.filter(({ context }) => context === name).map((event) => event.name));
      for (const { schema, prefix } of aggregates) {
        const understood = [...known].filter((type) => {
          try {
            return schema.decode({ type, data: {} }) !== null;
          } catch {
            return true; // an older version: its step was taken, on data that this test does not have
          }
        });
        expect([prefix, understood.length > 0]).toEqual([prefix, true]);
      }
    }
  });

  it('has public events of every context, and nobody listens for one that no contract has', () => {
    const events = publicEvents();
    for (const { name, hears } of contexts) {
      expect([name, events.some((event) => event.name.startsWith(`${name}.`))]).toEqual([name, true]);
      const heard = new Set(
        events.filter(({ heardBy }) => heardBy.includes(name)).map((event) => event.name.split('.')[0]),
      );
      expect([name, [...heard].sort()]).toEqual([name, [...hears].sort()]);
    }
  });

  it('has a contract for every pattern of a reaction', () => {
    const published = new Set(publicEvents().map(({ name }) => name));
    const patterns = [...listeners().keys()];
    expect(patterns.length).toBeGreaterThan(10);
    expect(patterns.filter((name) => !published.has(name))).toEqual([]);
  });
});
