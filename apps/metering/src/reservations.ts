import type { CommandContext } from '@billstream/event-sourcing';
import { type Decimal, type Instant, derivedId } from '@billstream/kernel';
import type { ReservationCommitted } from '@billstream/metering-contracts';
import {
  type CountedUsage,
  anonymousUser,
  chooseRule,
  heldAt,
  limitReservationsStream,
  reservationSource,
  verdict,
  atNow,
} from '@billstream/metering-domain';
import { type UnitView, usageForReservation, userByName } from '@billstream/metering-read-models';
import type { Metering } from './metering';

/** Whose reservations of what; the unit by the rules in force. */
export type Reserving = { readonly tenantId: string; readonly user: string; readonly unit: string };

export type ReserveRequest = {
  readonly user: string;
  readonly unit: UnitView;
  readonly amount: Decimal;
  readonly expiresAt: Instant;
};

type Handled = Awaited<ReturnType<Metering['reservations']>>;

export const reservationsOf = ({ tenantId, user, unit }: Reserving): string =>
  limitReservationsStream(derivedId('limit-reservations', tenantId, user, unit));

const knownMax = 20_000;
const attemptsMax = 5;

/**
 * Committed reservations that a stream did not know to be counted when this process decided on it last. Only a hint on
 * what to look for: the decision takes any other for not counted.
 */
const uncountedByStream = new Map<string, readonly string[]>();

const remember = (stream: string, ids: readonly string[]): void => {
  uncountedByStream.delete(stream);
  if (ids.length === 0) return;
  uncountedByStream.set(stream, ids);
  const [oldest] = uncountedByStream.keys();
  if (uncountedByStream.size > knownMax && oldest !== undefined) uncountedByStream.delete(oldest);
};

/**
 * Reserves an amount, or says why not. Usage is read first and the decision is made on what the stream holds then, so a
 * refusal is final only when everything that was committed has been looked for, and by the newest count.
 */
export const reserve = async (
  metering: Metering,
  { user, unit, amount, expiresAt }: ReserveRequest,
  context: CommandContext,
): Promise<Handled> => {
  const { tenantId, at } = context;
  const stream = reservationsOf({ tenantId, user, unit: unit.name });
  const reservationId = derivedId('reservation', stream, context.commandId);
  let committed = uncountedByStream.get(stream) ?? [];
  for (let attempt = 1; ; attempt += 1) {
    const usage = await countedUsage(metering, { tenantId, user, unit, at, committed });
    const command = { type: 'Reserve' as const, reservationId, user, unit: unit.name, amount, at, expiresAt, usage };
    const handled = await metering.reservations(stream, command, context);
    if (handled.outcome === 'accepted') remember(stream, Object.keys(handled.state.committed));
    if (handled.outcome !== 'rejected' || attempt === attemptsMax) return handled;
    const { rejection } = handled;
    if (rejection.code === 'limit-exceeded' && rejection.uncounted.length > 0) {
      const isNews = rejection.uncounted.some((id) => !committed.includes(id));
      if (!isNews) return handled;
      committed = rejection.uncounted;
      remember(stream, committed);
    } else if (rejection.code !== 'count-outdated') return handled;
  }
};

type Counting = {
  readonly tenantId: string;
  readonly user: string;
  readonly unit: UnitView;
  readonly at: Instant;
  readonly committed: readonly string[];
};

const countedUsage = async (
  { runtime, usageVisible }: Metering,
  { tenantId, user, unit, at, committed }: Counting,
): Promise<CountedUsage> => {
  await usageVisible(tenantId, user);
  const { intervals } = await userByName(runtime.database, tenantId, user);
  const { rule, subscriptionId } = chooseRule(unit.rules, heldAt(intervals, at));
  const asked = { tenantId, user, unit: unit.name, subscriptionId, committed };
  const { state, counted, countedTo } = await usageForReservation(runtime.database, asked);
  const limit = user === anonymousUser ? null : (rule?.limitAmount ?? null);
  const { current } = verdict(state, at, limit);
  return { current, limit, override: atNow(state, at).override, counted, countedTo: String(countedTo) };
};

/** Commits all of a reservation or a part, once: said again, it answers with what was committed. */
export const commit = async (
  metering: Metering,
  { reservationId, amount, ...whose }: Reserving & { readonly reservationId: string; readonly amount: Decimal | null },
  context: CommandContext,
): Promise<Handled> => {
  const { user, unit } = whose;
  const handled = await metering.reservations(
    reservationsOf(whose),
    { type: 'Commit', reservationId, user, unit, amount, at: context.at },
    ended(context, 'commit', reservationId),
  );
  // The event says what is to be recorded; should this process die here, it is heard and recorded after all.
  if (handled.outcome === 'accepted')
    for (const event of handled.events)
      if (event.type === 'ReservationCommitted') await recordCommitted(metering, whose.tenantId, event.data);
  return handled;
};

export const release = (
  metering: Metering,
  { reservationId, ...whose }: Reserving & { readonly reservationId: string },
  context: CommandContext,
): Promise<Handled> =>
  metering.reservations(
    reservationsOf(whose),
    { type: 'Release', reservationId, at: context.at },
    ended(context, 'release', reservationId),
  );

/** A reservation ends once: whatever the request was called, ending it in one way is one command. */
const ended = (context: CommandContext, how: string, reservationId: string): CommandContext => ({
  ...context,
  commandId: derivedId('reservation-ended', how, reservationId),
  commandHash: how,
});

/** The usage of a reservation, as a record that the reservation names: however often it is written, it counts once. */
export const recordCommitted = async (
  { ingest }: Metering,
  tenantId: string,
  { reservationId: id, user, unit, amount, at: time }: ReservationCommitted,
): Promise<void> => {
  const batch = [{ unit, user, amount, time, source: reservationSource, id }];
  const { rejected } = await ingest({ tenantId, batch, requestKey: null, form: 'OWN' });
  if (rejected.length > 0) throw new Error(`a committed reservation could not be recorded: ${rejected[0]?.message}`);
};
