import { dataOf, type StoredEvent } from './stored-event';

export type StreamMetadata = Readonly<Record<string, unknown>>;

/** Which events of a stream are still shown. */
export interface Retention {
  readonly maxCount?: number;
  readonly maxAgeMs?: number;
  readonly truncateBefore?: number;
}

export interface StreamState {
  readonly name: string;
  /** The revision that the next event gets. */
  next: number;
  tombstoned: boolean;
  metadata: StreamMetadata | undefined;
  retention: Retention;
  /** The newest events, without gaps, as far as they are in memory. */
  recent: StoredEvent[];
  /** How many of `recent` have been let go at its start. */
  dropped: number;
}

export const METADATA_PREFIX = '$$';
export const METADATA_TYPE = '$metadata';

/** Shared, because nearly every stream has none and there may be millions. */
const KEEP_ALL: Retention = {};

export const newStream = (name: string): StreamState => ({
  name,
  next: 0,
  tombstoned: false,
  metadata: undefined,
  retention: KEEP_ALL,
  recent: [],
  dropped: 0,
});

const count = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined;

export const retentionOf = (metadata: StreamMetadata | undefined): Retention => {
  const [maxCount, maxAge, truncateBefore] = [metadata?.['$maxCount'], metadata?.['$maxAge'], metadata?.['$tb']].map(
    count,
  );
  return {
    ...(maxCount === undefined ? {} : { maxCount }),
    ...(maxAge === undefined ? {} : { maxAgeMs: maxAge * 1_000 }),
    ...(truncateBefore === undefined ? {} : { truncateBefore }),
  };
};

const isMetadata = (value: unknown): value is StreamMetadata =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const metadataIn = (event: StoredEvent): StreamMetadata => {
  try {
    const parsed: unknown = JSON.parse(dataOf(event).toString('utf8'));
    return isMetadata(parsed) ? parsed : {};
  } catch {
    return {}; // anybody may write to a metadata stream; nonsense in it sets nothing
  }
};

/** A deleted stream is one whose every event, also those to come, lies before the truncation point. */
export const isDeleted = (retention: Retention): boolean => (retention.truncateBefore ?? 0) >= Number.MAX_SAFE_INTEGER;

/** The lowest revision that readers see. */
export const floorOf = (state: StreamState): number => {
  const { maxCount, truncateBefore } = state.retention;
  return Math.max(0, maxCount === undefined ? 0 : state.next - maxCount, truncateBefore ?? 0);
};
