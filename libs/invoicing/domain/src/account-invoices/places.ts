import { withoutName } from './book';

type Place = readonly [place: number, invoiceId: string];

/**
 * Some of an account's invoices by their places among all, as plain data that a snapshot can hold. They lie in groups of
 * neighbours, so that one comes or goes at the same cost where thousands are unpaid.
 */
export type Places = Readonly<Record<string, readonly Place[]>>;

export const nowhere: Places = {};

const groupLength = 64;

/** The places with or without one of them. */
export const placed = (
  places: Places,
  { invoiceId, place }: { readonly invoiceId: string; readonly place: number },
  isThere: boolean,
): Places => {
  const name = String(Math.floor(place / groupLength));
  const group = places[name] ?? [];
  if (group.some(([one]) => one === place) === isThere) return places;
  if (isThere) return { ...places, [name]: [...group, [place, invoiceId]] };
  const left = group.filter(([one]) => one !== place);
  return left.length === 0 ? withoutName(places, name) : { ...places, [name]: left };
};

export const isNowhere = (places: Places): boolean => Object.keys(places).length === 0;

/** The invoices in the order in which they were made. */
export const idsByPlace = (places: Places): readonly string[] =>
  Object.values(places)
    .flat()
    .sort(([a], [b]) => a - b)
    .map(([, invoiceId]) => invoiceId);
