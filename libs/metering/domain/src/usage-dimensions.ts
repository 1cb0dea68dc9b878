/** What a client wants to tell usage apart by, e.g. `{ region: 'eu-1', model: 'large' }`. Names sorted. */
export type Dimensions = Readonly<Record<string, string>>;

export type DimensionsFault = { readonly field: string; readonly code: string; readonly message: string };

export const dimensionsMax = 16;
const nameForm = /^[A-Za-z_][A-Za-z0-9_.-]{0,62}$/;
const valueMax = 255;

/** Whether usage can be grouped by that name. */
export const isDimensionName = (name: string): boolean => nameForm.test(name);

/** The dimensions that a client sent; null: none. Bounded, because every record carries its own. */
export const parseDimensions = (
  raw: unknown,
): { readonly dimensions: Dimensions | null } | { readonly fault: DimensionsFault } => {
  if (raw === undefined || raw === null) return { dimensions: null };
  if (typeof raw !== 'object' || Array.isArray(raw))
    return { fault: { field: 'dimensions', code: 'invalid', message: 'dimensions is an object of texts' } };
  const entries: readonly (readonly [string, unknown])[] = Object.entries(raw);
  if (entries.length > dimensionsMax)
    return {
      fault: { field: 'dimensions', code: 'too-many', message: `a record has at most ${dimensionsMax} dimensions` },
    };
  for (const [name, value] of entries) {
    const fault = faultOf(name, value);
    if (fault !== null) return { fault };
  }
  const sorted = entries.toSorted(([a], [b]) => (a < b ? -1 : 1)) as readonly (readonly [string, string])[];
  return { dimensions: sorted.length === 0 ? null : Object.fromEntries(sorted) };
};

const faultOf = (name: string, value: unknown): DimensionsFault | null => {
  const field = `dimensions.${name.slice(0, 64)}`;
  if (!isDimensionName(name))
    return {
      field,
      code: 'invalid',
      message: 'the name of a dimension is a letter followed by up to 62 of A-Z a-z 0-9 _ . -',
    };
  return typeof value === 'string' && value.length <= valueMax && !value.includes('\u0000')
    ? null
    : { field, code: 'invalid', message: `the value of a dimension is a text of up to ${valueMax} characters` };
};
