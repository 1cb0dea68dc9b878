import { type Decider, accept, defineSchema, reject } from '@billstream/event-sourcing';
import { type Decimal, type Instant, add, compare, larger, subtract, zero } from '@billstream/kernel';
import type { ReservationCommitted } from '@billstream/metering-contracts';
import type { LimitOverride } from './limit';

/**
 * Amounts of a unit set aside for a user before they are used. One stream a user and unit, so that of several who reserve
 * at once each decides on what the others got.
 */
export type LimitReservationsEvent =
  | {
      readonly type: 'ReservationMade';
      readonly data: {
        readonly reservationId: string;
        readonly user: string;
        readonly unit: string;
        readonly amount: Decimal;
        readonly at: Instant;
        /** From this instant on it sets nothing aside. */
        readonly expiresAt: Instant;
        /** Committed ones whose usage was counted by then, and the log position that usage was counted to. */
        readonly counted: readonly string[];
        readonly countedTo: string;
      };
    }
  /** The usage itself follows, as a record named by the reservation. */
  | { readonly type: 'ReservationCommitted'; readonly data: ReservationCommitted }
  | { readonly type: 'ReservationReleased'; readonly data: { readonly reservationId: string; readonly at: Instant } };

/** What the read model says of a user's usage, as of one instant of it. */
export type CountedUsage = {
  /** Of the window that is open; what was committed and is named in `counted` is in it. */
  readonly current: Decimal;
  /** Null: nothing limits the user. */
  readonly limit: Decimal | null;
  readonly override: LimitOverride | null;
  readonly counted: readonly string[];
  readonly countedTo: string;
};

export type LimitReservationsCommand =
  | {
      readonly type: 'Reserve';
      readonly reservationId: string;
      readonly user: string;
      readonly unit: string;
      readonly amount: Decimal;
      readonly at: Instant;
      readonly expiresAt: Instant;
      readonly usage: CountedUsage;
    }
  | {
      readonly type: 'Commit';
      readonly reservationId: string;
      readonly user: string;
      readonly unit: string;
      /** At most what was reserved; null: all of it. */
      readonly amount: Decimal | null;
      readonly at: Instant;
    }
  | { readonly type: 'Release'; readonly reservationId: string; readonly at: Instant };

export type LimitReservationsRejection =
  | {
      readonly code: 'limit-exceeded';
      readonly limit: Decimal | null;
      readonly current: Decimal;
      readonly reserved: Decimal;
      readonly available: Decimal;
      /** Nothing can be reserved, because somebody has set the user's state. */
      readonly isByHand: boolean;
      /** Committed ones that are not known to be counted: who knows that some are asks again. */
      readonly uncounted: readonly string[];
    }
  /** Somebody has decided by a later count of the usage: look again. */
  | { readonly code: 'count-outdated' }
  | { readonly code: 'too-many-reservations' }
  /** It expired, was released, or was never made. */
  | { readonly code: 'reservation-not-open' }
  | { readonly code: 'amount-above-reservation'; readonly reserved: Decimal };

type Open = { readonly amount: Decimal; readonly expiresAt: Instant };

/** Plain objects, because the state goes into snapshots. */
export type LimitReservationsState = {
  readonly open: Readonly<Record<string, Open>>;
  /** Amounts that are committed and not known to be counted as usage. */
  readonly committed: Readonly<Record<string, Decimal>>;
  readonly countedTo: string;
};

const openMax = 1_000;

/** `seriesId` names a tenant's user and unit. */
export const limitReservationsStream = (seriesId: string): string => `limitReservations-${seriesId}`;

/** Source of the usage records that committed reservations become; their id is the reservation's. */
export const reservationSource = 'billstream/reservation';

export const limitReservations: Decider<
  LimitReservationsCommand,
  LimitReservationsEvent,
  LimitReservationsState,
  LimitReservationsRejection
> = {
  initial: { open: {}, committed: {}, countedTo: '-1' },
  appendsTogether: true,
  decide: (command, state) => {
    if (command.type === 'Reserve') return decideReserve(command, state);
    const { reservationId, at } = command;
    const open = openAt(state, at)[reservationId];
    if (open === undefined) return reject({ code: 'reservation-not-open' });
    if (command.type === 'Release') return accept({ type: 'ReservationReleased', data: { reservationId, at } });
    const { user, unit, amount } = command;
    if (amount !== null && compare(amount, open.amount) > 0)
      return reject({ code: 'amount-above-reservation', reserved: open.amount });
    return accept({
      type: 'ReservationCommitted',
      data: { reservationId, user, unit, amount: amount ?? open.amount, at },
    });
  },
  evolve: (state, event) => {
    switch (event.type) {
      case 'ReservationMade': {
        const { reservationId, amount, expiresAt, at, counted, countedTo } = event.data;
        // What has expired for who got its place has expired for all, also for who has a clock that is behind.
        const open = { ...openAt(state, at), [reservationId]: { amount, expiresAt } };
        return { open, committed: without(state.committed, counted), countedTo };
      }
      case 'ReservationCommitted': {
        const { reservationId, amount } = event.data;
        const committed = { ...state.committed, [reservationId]: amount };
        return { ...state, open: without(state.open, [reservationId]), committed };
      }
      case 'ReservationReleased':
        return { ...state, open: without(state.open, [event.data.reservationId]) };
    }
  },
};

type Reserve = Extract<LimitReservationsCommand, { readonly type: 'Reserve' }>;

/** What is used, what is committed and not yet counted, what others hold, and the new amount stay within the limit. */
const decideReserve = (
  { reservationId, user, unit, amount, at, expiresAt, usage }: Reserve,
  state: LimitReservationsState,
): ReturnType<(typeof limitReservations)['decide']> => {
  if (BigInt(usage.countedTo) < BigInt(state.countedTo)) return reject({ code: 'count-outdated' });
  const open = Object.values(openAt(state, at));
  if (open.length >= openMax) return reject({ code: 'too-many-reservations' });
  const uncounted = without(state.committed, usage.counted);
  const { current, limit, override, countedTo } = usage;
  const reserved = [...Object.values(uncounted), ...open.map((one) => one.amount)].reduce(add, zero);
  const isByHand = override?.state === 'LIMITED';
  const left = limit === null || isByHand ? zero : subtract(subtract(limit, current), reserved);
  const available = larger(left, zero);
  const isFree = override?.state === 'RELEASED' || (limit === null && !isByHand);
  if (!isFree && compare(amount, available) > 0) {
    const facts = { limit, current, reserved, available, isByHand };
    return reject({ code: 'limit-exceeded', ...facts, uncounted: Object.keys(uncounted) });
  }
  const counted = Object.keys(state.committed).filter((id) => !(id in uncounted));
  const made = { reservationId, user, unit, amount, at, expiresAt, counted, countedTo };
  return accept({ type: 'ReservationMade', data: made });
};

const openAt = ({ open }: LimitReservationsState, at: Instant): Readonly<Record<string, Open>> =>
  Object.fromEntries(Object.entries(open).filter(([, { expiresAt }]) => at < expiresAt));

const without = <Value>(
  all: Readonly<Record<string, Value>>,
  keys: readonly string[],
): Readonly<Record<string, Value>> => {
  const gone = new Set(keys);
  return Object.fromEntries(Object.entries(all).filter(([key]) => !gone.has(key)));
};

/** Busy users reserve many times a minute, for ever. */
export const limitReservationsSnapshots = { version: 'limit-reservations.1', every: 500 } as const;

export const limitReservationsSchema = defineSchema<LimitReservationsEvent>({
  ReservationMade: 'limit-reservations.made.v1',
  ReservationCommitted: 'limit-reservations.committed.v1',
  ReservationReleased: 'limit-reservations.released.v1',
});
