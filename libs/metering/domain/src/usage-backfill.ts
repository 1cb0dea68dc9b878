import { type Decider, accept, defineSchema, reject } from '@billstream/event-sourcing';
import type { Instant } from '@billstream/kernel';
import type { LoggedRecord, RejectedRecord } from './usage-record';

/** `ADD`: its records count beside what is there. `REPLACE`: they count instead of the direct records of its scope. */
export const backfillModes = ['ADD', 'REPLACE'] as const;
export type BackfillMode = (typeof backfillModes)[number];

/** What a backfill may bring, and what it replaces. Half-open in time; `users` null: everybody's. */
export type BackfillScope = {
  readonly units: readonly string[];
  readonly users: readonly string[] | null;
  readonly fromAt: Instant;
  readonly toAt: Instant;
};

export type OpenedBackfill = BackfillScope & {
  readonly backfillId: string;
  readonly name: string;
  readonly reason: string;
  readonly mode: BackfillMode;
  /** When it is given up unless it was committed; absent: it was opened before there was such a deadline, and waits for ever. */
  readonly expiresAt?: Instant;
};

/** A part as it was uploaded: `digest` names what is in it, and so the stream its records are in. */
export type BackfillPart = {
  readonly part: string;
  readonly digest: string;
  /** Records that were taken, and events they are in. */
  readonly records: number;
  readonly pieces: number;
  /** How many records were not taken; the first of them are named. */
  readonly rejected: number;
  readonly rejections: readonly RejectedRecord[];
};

export type UsageBackfillEvent =
  | { readonly type: 'BackfillOpened'; readonly data: OpenedBackfill }
  | { readonly type: 'PartStaged'; readonly data: { readonly backfillId: string } & BackfillPart }
  /** Nothing can be added any more: what is committed, or abandoned, is what was staged by then. */
  | { readonly type: 'BackfillSealed'; readonly data: { readonly backfillId: string } };

export type UsageBackfillCommand =
  | { readonly type: 'Open'; readonly opened: OpenedBackfill }
  | { readonly type: 'Stage'; readonly part: BackfillPart }
  | { readonly type: 'Seal'; readonly toCommit: boolean };

export type UsageBackfillRejection =
  | { readonly code: 'backfill-not-found' }
  | { readonly code: 'backfill-exists' }
  | { readonly code: 'backfill-sealed' }
  /** The part was uploaded before, with other records. */
  | { readonly code: 'part-differs' }
  | { readonly code: 'too-many-parts' }
  /** It would add nothing. One that replaces may be empty: it takes away. */
  | { readonly code: 'backfill-empty' };

type StagedPart = readonly [part: string, digest: string];

export type UsageBackfillState =
  | { readonly status: 'NONE' }
  | {
      readonly status: 'STAGING' | 'SEALED';
      readonly opened: OpenedBackfill;
      /**
       * Parts with their digests, in lists of a bounded size, so that one more does not copy all of them; plain, because the
       * state goes into snapshots.
       */
      readonly parts: readonly (readonly StagedPart[])[];
      readonly records: number;
    };

/** With parts of 1,000, ten million records. */
export const backfillPartsMax = 10_000;

export const usageBackfillStream = (tenantId: string, backfillId: string): string =>
  `usageBackfill-${tenantId}-${backfillId}`;

type Open = Extract<UsageBackfillState, { readonly opened: OpenedBackfill }>;

const listMax = 256;

const withPart = (parts: Open['parts'], { part, digest }: BackfillPart): Open['parts'] => {
  const last = parts.at(-1);
  const staged: StagedPart = [part, digest];
  return last !== undefined && last.length < listMax
    ? [...parts.slice(0, -1), [...last, staged]]
    : [...parts, [staged]];
};

const digestOf = (parts: Open['parts'], part: string): string | undefined => {
  for (const some of parts) for (const [name, digest] of some) if (name === part) return digest;
  return undefined;
};

const stage = (part: BackfillPart, { status, opened, parts }: Open) => {
  const known = digestOf(parts, part.part);
  if (known === part.digest) return accept<UsageBackfillEvent>();
  if (status === 'SEALED') return reject({ code: 'backfill-sealed' } as const);
  if (known !== undefined) return reject({ code: 'part-differs' } as const);
  if (parts.reduce((sum, { length }) => sum + length, 0) >= backfillPartsMax)
    return reject({ code: 'too-many-parts' } as const);
  return accept<UsageBackfillEvent>({ type: 'PartStaged', data: { backfillId: opened.backfillId, ...part } });
};

const open = (opened: OpenedBackfill, state: UsageBackfillState) =>
  state.status === 'NONE'
    ? accept<UsageBackfillEvent>({ type: 'BackfillOpened', data: opened })
    : reject({ code: 'backfill-exists' } as const);

/** Usage that is collected to count all at once later; while it is collected it counts nowhere. */
export const usageBackfill: Decider<
  UsageBackfillCommand,
  UsageBackfillEvent,
  UsageBackfillState,
  UsageBackfillRejection
> = {
  initial: { status: 'NONE' },
  decide: (command, state) => {
    if (command.type === 'Open') return open(command.opened, state);
    if (state.status === 'NONE') return reject({ code: 'backfill-not-found' });
    if (command.type === 'Stage') return stage(command.part, state);
    const { mode, backfillId } = state.opened;
    if (command.toCommit && mode === 'ADD' && state.records === 0) return reject({ code: 'backfill-empty' });
    return state.status === 'SEALED' ? accept() : accept({ type: 'BackfillSealed', data: { backfillId } });
  },
  evolve: (state, event): UsageBackfillState => {
    if (event.type === 'BackfillOpened') return { status: 'STAGING', opened: event.data, parts: [], records: 0 };
    if (state.status === 'NONE') return state;
    switch (event.type) {
      case 'PartStaged': {
        return { ...state, parts: withPart(state.parts, event.data), records: state.records + event.data.records };
      }
      case 'BackfillSealed':
        return { ...state, status: 'SEALED' };
    }
  },
};

/** Thousands of parts are staged, and each process that stages one would read all before it. */
export const usageBackfillSnapshots = { version: 'usage-backfill.1', every: 500 } as const;

export const usageBackfillSchema = defineSchema<UsageBackfillEvent>({
  BackfillOpened: 'usage-backfill.opened.v1',
  PartStaged: 'usage-backfill.part-staged.v1',
  BackfillSealed: 'usage-backfill.sealed.v1',
});

/** Records of a part. They mean nothing until the backfill says that the part is staged. */
export type BackfillRecordsEvent = {
  readonly type: 'PartRecorded';
  readonly data: { readonly backfillId: string; readonly digest: string; readonly records: readonly LoggedRecord[] };
};

/** A stream for each content of each part, so that whoever uploads it again after a crash finds what is there. */
export const backfillPartStream = (tenantId: string, backfillId: string, digest: string): string =>
  `usageBackfillPart-${tenantId}-${backfillId}-${digest}`;

export const backfillRecordsSchema = defineSchema<BackfillRecordsEvent>({
  PartRecorded: 'usage-backfill-part.recorded.v1',
});
