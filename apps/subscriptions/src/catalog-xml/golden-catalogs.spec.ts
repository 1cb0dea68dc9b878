import { type CatalogVersion, additionErrors, findPlan, resolvePlan } from '@billstream/subscriptions-domain';
import { parseCurrency } from '@billstream/kernel';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { readCatalogDocument, writeCatalogDocument } from '../documents/catalog-document';
import { readCatalog } from './read-catalog';
import { writeCatalog } from './write-catalog';

/** Catalogs of Kill Bill's own tests, as its clients send them: NAME-VERSION.xml. */
const folder = path.join(__dirname, 'golden');
const files = readdirSync(folder).filter((name) => name.endsWith('.xml'));
const names = [...new Set(files.map((name) => name.replace(/-\d+\.xml$/, '')))];

const read = (xml: string): CatalogVersion => {
  const outcome = readCatalog(xml);
  if ('errors' in outcome) throw new Error(JSON.stringify(outcome.errors));
  return outcome.version;
};
const versionsOf = (name: string): readonly CatalogVersion[] =>
  files
    .filter((file) => file.replace(/-\d+\.xml$/, '') === name)
    .map((file) => read(readFileSync(path.join(folder, file), 'utf8')))
    .toSorted((a, b) => (a.effectiveDate < b.effectiveDate ? -1 : 1));

it('are all there', () => {
  expect([names.length, files.length]).toEqual([36, 63]);
});

describe.each(names)('%s', (name) => {
  const versions = versionsOf(name);

  it('is valid, each version beside those before', () => {
    for (const [index, version] of versions.entries())
      expect(additionErrors(versions.slice(0, index), version)).toEqual([]);
  });

  it('comes back the same from XML and from JSON, as the same text', () => {
    for (const version of versions) {
      const xml = writeCatalog(version);
      expect(read(xml)).toEqual(version);
      expect(writeCatalog(read(xml))).toBe(xml);
      const json = JSON.stringify(writeCatalogDocument(version));
      const again = readCatalogDocument(JSON.parse(json));
      expect(again).toEqual({ value: version });
      expect('value' in again && JSON.stringify(writeCatalogDocument(again.value))).toBe(json);
    }
  });

  it('resolves each of its plans in each currency that prices it', () => {
    for (const version of versions)
      for (const { name: planName } of version.plans) {
        const found = findPlan(version, { planName });
        if ('rejected' in found) throw new Error(found.rejected.detail);
        const outcomes = version.currencies.map((currency) => resolvePlan(version, found, parseCurrency(currency)));
        expect(outcomes.some((outcome) => 'phases' in outcome)).toBe(true);
      }
  });
});
