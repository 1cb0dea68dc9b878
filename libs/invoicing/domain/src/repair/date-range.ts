import type { LocalDate } from '@billstream/kernel';

/** Half-open [start, end). Dates compare as text. */
export type DateRange = { readonly start: LocalDate; readonly end: LocalDate };

export const overlap = (a: DateRange, b: DateRange): DateRange | null => {
  const start = a.start > b.start ? a.start : b.start;
  const end = a.end < b.end ? a.end : b.end;
  return start < end ? { start, end } : null;
};

/** What is left of some ranges without another one; in their order. */
export const without = (ranges: readonly DateRange[], gone: DateRange): readonly DateRange[] =>
  ranges.flatMap((range) => {
    const shared = overlap(range, gone);
    if (shared === null) return [range];
    return [
      { start: range.start, end: shared.start },
      { start: shared.end, end: range.end },
    ].filter(({ start, end }) => start < end);
  });
