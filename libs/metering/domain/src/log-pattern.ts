/** A pattern of log lines in the manner of grok: text, and `%{NAME:field}` for what varies. See docs/metering.md. */
export type LogPattern = {
  readonly pattern: string;
  /** Fields of every record that the pattern finds; what the line says comes first. */
  readonly constants: Readonly<Record<string, string>>;
};

export type LogFields = Readonly<Record<string, string>>;
export type LinePattern = { readonly match: (line: string) => LogFields | null };
export type PatternFault = { readonly code: string; readonly message: string };

/** With the number of open ends, these bound what a line can cost, whatever a pattern and a line look like. */
export const lineLengthMax = 2_048;
const openEndsMax = 2;
const variablesMax = 32;

/** Fields of a usage record that a line may give. */
export const lineFields = ['unit', 'user', 'amount', 'time', 'id', 'source'] as const;

type Variable = {
  /** As much of the line as it can be, from a place on. */
  readonly longest: RegExp;
  /** Characters it can go on with: text that follows begins with another one. Null: it ends by itself. */
  readonly goesOn: RegExp | null;
  /** Any beginning of at least this length is one too, so it may end before what follows begins; null: it is what it is. */
  readonly shortest: number | null;
  /** Tries the short ones first. */
  readonly isLazy?: true;
};

const variable = (source: string, goesOn: RegExp | null, shortest: number | null = null): Variable => ({
  longest: new RegExp(source, 'y'),
  goesOn,
  shortest,
});

/** The variables there are. Names are those that log tools have used for decades. */
const variables: Readonly<Record<string, Variable>> = {
  WORD: variable(String.raw`\w+`, /\w/, 1),
  NOTSPACE: variable(String.raw`\S+`, /\S/, 1),
  SPACE: variable(String.raw`\s*`, /\s/, 0),
  DATA: { ...variable('.*', /./, 0), isLazy: true },
  GREEDYDATA: variable('.*', /./, 0),
  INT: variable(String.raw`[+-]?\d{1,32}`, /\d/),
  NUMBER: variable(String.raw`[+-]?\d{1,32}(?:\.\d{1,32})?`, /[\d.]/),
  USERNAME: variable(String.raw`[\w.@+-]+`, /[\w.@+-]/),
  EMAILADDRESS: variable(String.raw`[\w.+-]{1,64}@[\w.-]+`, /[\w.-]/),
  HOSTNAME: variable(String.raw`[\w.-]+`, /[\w.-]/),
  IP: variable(String.raw`[\da-fA-F:.]{2,45}`, /[\da-fA-F:.]/),
  UUID: variable(String.raw`[\da-fA-F]{8}-(?:[\da-fA-F]{4}-){3}[\da-fA-F]{12}`, null),
  URIPATH: variable(String.raw`/[^\s?#]*`, /[^\s?#]/),
  QUOTEDSTRING: variable(String.raw`"[^"]*"`, null),
  LOGLEVEL: variable(String.raw`[A-Za-z]+`, /[A-Za-z]/),
  TIMESTAMP_ISO8601: variable(
    String.raw`\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})?`,
    /[\d.,:Z+-]/,
  ),
  DATE_EU: variable(String.raw`\d{2}\.\d{2}\.\d{4}`, null),
  DATESTAMP_EU: variable(String.raw`\d{2}\.\d{2}\.\d{4} \d{2}:\d{2}:\d{2}`, null),
  EPOCHMILLIS: variable(String.raw`\d{12,14}`, /\d/),
};

export const variableNames: readonly string[] = Object.keys(variables);

type Piece = { readonly text: string } | { readonly name: string; readonly field: string | null };

const piecesOf = (pattern: string): readonly Piece[] => {
  const pieces: Piece[] = [];
  let from = 0;
  for (const found of pattern.matchAll(/%\{(\w+)(?::(\w+))?\}/g)) {
    if (found.index > from) pieces.push({ text: pattern.slice(from, found.index) });
    pieces.push({ name: found[1] ?? '', field: found[2] ?? null });
    from = found.index + found[0].length;
  }
  return from < pattern.length ? [...pieces, { text: pattern.slice(from) }] : pieces;
};

/** A step of the way through a line: the ends of what it can be from a place on, the likelier ones first. */
type Step = { readonly field: string | null; readonly ends: (line: string, from: number) => Iterable<number> };

/** Any run of blanks stands for a blank, so that columns may be aligned. */
const textStep = (text: string): Step => {
  const escaped = text.replaceAll(/[.*+?^${}()|[\]\\/]/g, String.raw`\$&`).replaceAll(/[ \t]+/g, String.raw`[ \t]+`);
  return { field: null, ends: only(new RegExp(escaped, 'y')) };
};

const only = (longest: RegExp) =>
  function* (line: string, from: number): Iterable<number> {
    longest.lastIndex = from;
    if (longest.test(line)) yield longest.lastIndex;
  };

const every = ({ longest, shortest, isLazy }: Variable) =>
  function* (line: string, from: number): Iterable<number> {
    for (const end of only(longest)(line, from)) {
      const least = from + (shortest ?? 0);
      if (isLazy) for (let to = least; to <= end; to += 1) yield to;
      else for (let to = end; to >= least; to -= 1) yield to;
    }
  };

const stepOf = (piece: Piece, next: Piece | undefined): Step => {
  if ('text' in piece) return textStep(piece.text);
  const found = variables[piece.name];
  if (found === undefined) throw new TypeError(`there is no variable ${piece.name}`);
  return { field: piece.field, ends: isOpen(piece, next) ? every(found) : only(found.longest) };
};

const isOpen = (piece: Piece, next: Piece | undefined): boolean => {
  if (!('name' in piece) || next === undefined) return false;
  const goesOn = variables[piece.name]?.goesOn ?? null;
  return goesOn !== null && ('name' in next || goesOn.test(next.text.charAt(0)));
};

/**
 * Where each step ends when the steps are the whole line, else null. A step that led nowhere from a place is not tried
 * from there again: a regular expression would be tried, for hours on a line made for it.
 */
const wayThrough = (steps: readonly Step[], line: string): readonly number[] | null => {
  const deadEnds = new Set<number>();
  const from = (index: number, at: number): readonly number[] | null => {
    const step = steps[index];
    if (step === undefined) return at === line.length ? [] : null;
    const place = index * (lineLengthMax + 1) + at;
    if (deadEnds.has(place)) return null;
    for (const end of step.ends(line, at)) {
      const rest = from(index + 1, end);
      if (rest !== null) return [end, ...rest];
    }
    deadEnds.add(place);
    return null;
  };
  return from(0, 0);
};

/** A pattern ready to be matched, or what is wrong with it. A line matches as a whole or not at all. */
export const linePattern = ({ pattern, constants }: LogPattern): LinePattern | PatternFault => {
  const pieces = piecesOf(pattern);
  const fault = faultOf(pieces);
  if (fault !== null) return fault;
  const steps = pieces.map((piece, index) => stepOf(piece, pieces[index + 1]));
  return {
    match: (line) => {
      const ends = line.length > lineLengthMax ? null : wayThrough(steps, line);
      if (ends === null) return null;
      const found = steps.flatMap(({ field }, index): readonly (readonly [string, string])[] =>
        field === null ? [] : [[field, line.slice(ends[index - 1] ?? 0, ends[index])]],
      );
      return { ...constants, ...Object.fromEntries(found) };
    },
  };
};

const faultOf = (pieces: readonly Piece[]): PatternFault | null => {
  const named = pieces.flatMap((piece) => ('name' in piece ? [piece] : []));
  const unknown = named.find(({ name }) => variables[name] === undefined);
  if (unknown) return { code: 'unknown-variable', message: `there is no variable ${unknown.name}` };
  if (named.length > variablesMax)
    return { code: 'too-many-variables', message: `a pattern has at most ${variablesMax} variables` };
  const fields = named.flatMap(({ field }) => field ?? []);
  const odd = fields.find((field) => !lineFields.some((known) => known === field));
  if (odd !== undefined)
    return {
      code: 'unknown-field',
      message: `${odd} is not one of ${lineFields.join(', ')}; leave out what is not kept`,
    };
  if (new Set(fields).size < fields.length)
    return { code: 'field-twice', message: 'a field is named twice in the pattern' };
  return ambiguityOf(pieces);
};

const ambiguityOf = (pieces: readonly Piece[]): PatternFault | null => {
  const open = pieces.flatMap((piece, index) => ('name' in piece && isOpen(piece, pieces[index + 1]) ? [piece] : []));
  const fixed = open.find(({ name }) => variables[name]?.shortest == null);
  if (fixed)
    return { code: 'ambiguous', message: `${fixed.name} could go on into what follows it; put a separator between` };
  return open.length > openEndsMax
    ? { code: 'ambiguous', message: `more than ${openEndsMax} variables could go on into what follows them` }
    : null;
};
