import fc from 'fast-check';
import { idsByPlace, isNowhere, nowhere, placed } from './places';

describe('places of invoices', () => {
  it('are those that were put there and not taken away since, in the order of the invoices', () => {
    const moves = fc.array(fc.tuple(fc.nat({ max: 300 }), fc.boolean()), { maxLength: 600 });
    fc.assert(
      fc.property(moves, (all) => {
        const there = new Set<number>();
        const places = all.reduce((so, [place, isThere]) => {
          if (isThere) there.add(place);
          else there.delete(place);
          return placed(so, { invoiceId: `invoice-${place}`, place }, isThere);
        }, nowhere);
        expect(idsByPlace(places)).toEqual([...there].sort((a, b) => a - b).map((place) => `invoice-${place}`));
        expect(isNowhere(places)).toBe(there.size === 0);
      }),
      { numRuns: 200 },
    );
  });

  it('stay the same where nothing changes', () => {
    const places = placed(nowhere, { invoiceId: 'invoice-1', place: 1 }, true);
    expect(placed(places, { invoiceId: 'invoice-1', place: 1 }, true)).toBe(places);
    expect(placed(places, { invoiceId: 'invoice-2', place: 2 }, false)).toBe(places);
  });
});
