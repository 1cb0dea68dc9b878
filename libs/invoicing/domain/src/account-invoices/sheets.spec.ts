import fc from 'fast-check';
import { type Sheets, entriesIn, withAdded, withSheets } from './sheets';

describe('a list in sheets', () => {
  const lists = fc.array(fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 150 }), { maxLength: 30 });

  it('holds what a plain list would, whatever is added and taken out', () => {
    fc.assert(
      fc.property(lists, fc.integer({ min: 0, max: 9 }), (added, out) => {
        let plain: readonly number[] = [];
        let sheets: Sheets<number> = [];
        for (const [turn, values] of added.entries()) {
          plain = [...plain, ...values];
          sheets = withAdded(sheets, values);
          expect(entriesIn(sheets)).toEqual(plain);
          if (turn % 5 !== 4) continue;
          plain = plain.filter((value) => value !== out);
          sheets = withSheets(sheets, (sheet) => sheet.filter((value) => value !== out));
          expect(entriesIn(sheets)).toEqual(plain);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('leaves sheets that nothing is added to or changed on, and the list before, as they were', () => {
    const before = withAdded(
      [],
      Array.from({ length: 1_000 }, (_, n) => n),
    );
    const text = JSON.stringify(before);
    const after = withAdded(before, [1_000]);
    expect(after.filter((sheet) => before.includes(sheet))).toHaveLength(before.length - 1);
    const changed = withSheets(after, (sheet) => (sheet.includes(500) ? sheet.map((n) => -n) : sheet));
    expect(changed.filter((sheet) => !after.includes(sheet))).toHaveLength(1);
    expect(withSheets(changed, (sheet) => sheet)).toBe(changed);
    expect(JSON.stringify(before)).toBe(text);
  });
});
