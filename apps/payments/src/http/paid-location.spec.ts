import { newId } from '@billstream/kernel';
import { paidLocation } from './paid-location';

describe('where the invoices are that one request paid', () => {
  const accountId = newId();
  it('names them', () => {
    expect(paidLocation(accountId, ['a', 'b'])).toBe(`/1.0/kb/accounts/${accountId}/invoices?invoicesFilter=a,b`);
  });

  it('is an address that can be asked for, however many they are', () => {
    const locations = [199, 200, 201, 5_000].map((count) =>
      paidLocation(accountId, Array.from({ length: count }, newId)),
    );
    for (const location of locations) expect(location.length).toBeLessThan(8_000);
    expect(locations.map((location) => location.includes('invoicesFilter'))).toEqual([true, true, false, false]);
  });
});
