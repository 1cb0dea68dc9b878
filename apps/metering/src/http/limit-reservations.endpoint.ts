import { ProblemException, RequestCtx, type RequestContext, commandContext } from '@billstream/http';
import {
  type Decimal,
  compare,
  epochMs,
  instantOfMs,
  isZero,
  parseDecimal,
  parseUuid,
  round,
  zero,
} from '@billstream/kernel';
import { type LimitReservationsRejection, reservationSource } from '@billstream/metering-domain';
import { type UnitView, nameKey, recordsNamed, unitInForce } from '@billstream/metering-read-models';
import { Body, Controller, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { IsInt, IsNotEmpty, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';
import { type Metering, meteringToken } from '../metering';
import { commit, release, reserve } from '../reservations';
import { invalidField, unknownUnit } from './problems';
import { overloaded } from './taking-usage';

const dayS = 86_400;

class ReleaseRequest {
  @IsString() @IsNotEmpty() @MaxLength(255) readonly user!: string;
}

class CommitRequest extends ReleaseRequest {
  /** Decimal number or text; at most what was reserved. Left out: all of it. */
  @IsOptional() readonly amount?: unknown;
}

class ReservationRequest extends ReleaseRequest {
  /** Decimal number or text, above zero. */
  @IsNotEmpty() readonly amount!: unknown;
  @IsOptional() @IsInt() @Min(1) @Max(dayS) readonly ttlSeconds?: number;
}

const ttlSecondsDefault = 60;

/**
 * Sets an amount aside before it is used, so that however many ask at once, together they stay within the limit. Who does
 * not commit in time has reserved nothing. The same Idempotency-Key is the same reservation.
 */
@Controller('v1/limits/:unit/reservations')
export class LimitReservationsEndpoint {
  constructor(@Inject(meteringToken) private readonly metering: Metering) {}

  @Post()
  @HttpCode(201)
  async reserve(
    @Param('unit') name: string,
    @Body() { user, amount, ttlSeconds = ttlSecondsDefault }: ReservationRequest,
    @RequestCtx() request: RequestContext,
  ): Promise<object> {
    const unit = await this.sumUnit(request.tenantId, name);
    const context = commandContext(request, this.metering.runtime.clock);
    const expiresAt = instantOfMs(epochMs(context.at) + ttlSeconds * 1_000);
    const handled = await reserve(this.metering, { user, unit, amount: amountOf(amount), expiresAt }, context);
    if (handled.outcome === 'rejected') throw problemOf(handled.rejection);
    const [made] = handled.outcome === 'accepted' ? handled.events : [];
    if (made?.type !== 'ReservationMade') throw keyReused;
    const { reservationId, amount: reserved, expiresAt: until, countedTo } = made.data;
    return {
      ...{ reservationId, user, unit: name, amount: reserved, state: 'RESERVED', expiresAt: until },
      freshness: { position: countedTo === '-1' ? null : countedTo },
    };
  }

  /** What was reserved has been used. Repeated, it answers the same and counts once, for ever. */
  @Post(':reservationId/commit')
  @HttpCode(200)
  async commit(
    @Param('unit') unit: string,
    @Param('reservationId') id: string,
    @Body() { user, amount: text }: CommitRequest,
    @RequestCtx() request: RequestContext,
  ): Promise<object> {
    const { runtime } = this.metering;
    const reservationId = reservationIdOf(id);
    const amount = text === undefined || text === null ? null : amountOf(text);
    const whose = { tenantId: request.tenantId, user, unit, reservationId };
    const context = commandContext(request, runtime.clock);
    // Committed it is; the client says so again, or the commitment is heard.
    const handled = await commit(this.metering, { ...whose, amount }, context).catch(overloaded);
    const [event] = handled.outcome === 'accepted' ? handled.events : [];
    const committed =
      event?.type === 'ReservationCommitted' ? event.data : await this.counted(request.tenantId, reservationId);
    // A stream forgets old commands; the record of what was committed stays.
    if (committed?.user !== user || committed.unit !== unit)
      throw problemOf(handled.outcome === 'rejected' ? handled.rejection : { code: 'reservation-not-open' });
    if (amount !== null && compare(amount, committed.amount) !== 0) throw committedOtherwise;
    const record = recordOf(reservationId);
    return { reservationId, user, unit, amount: committed.amount, state: 'COMMITTED', record };
  }

  /** Nothing was used: the amount is free again at once. */
  @Post(':reservationId/release')
  @HttpCode(200)
  async release(
    @Param('unit') unit: string,
    @Param('reservationId') id: string,
    @Body() { user }: ReleaseRequest,
    @RequestCtx() request: RequestContext,
  ): Promise<object> {
    const reservationId = reservationIdOf(id);
    const whose = { tenantId: request.tenantId, user, unit, reservationId };
    const handled = await release(this.metering, whose, commandContext(request, this.metering.runtime.clock));
    if (handled.outcome === 'rejected') throw problemOf(handled.rejection);
    return { reservationId, user, unit, state: 'RELEASED' };
  }

  private async counted(tenantId: string, id: string) {
    const name = recordOf(id);
    return (await recordsNamed(this.metering.runtime.database, tenantId, [name])).get(nameKey(name)) ?? null;
  }

  private async sumUnit(tenantId: string, name: string): Promise<UnitView> {
    const { runtime } = this.metering;
    const { database, clock } = runtime;
    const now = clock.now(tenantId);
    let unit = await unitInForce(database, tenantId, name, now);
    if (unit === null) {
      await runtime.caughtUp();
      unit = await unitInForce(database, tenantId, name, now);
    }
    if (unit === null) throw unknownUnit(name);
    if (unit.countingMethod === 'SUM') return unit;
    throw new ProblemException({
      status: 422,
      code: 'unit-is-gauge',
      detail: `${name} is a level (${unit.countingMethod}), of which nothing can be set aside`,
    });
  }
}

const recordOf = (id: string) => ({ source: reservationSource, id });

const amountMax = '1000000000000000000' as Decimal;

const amountOf = (value: unknown): Decimal => {
  const amount = parseDecimal(value);
  if (amount === null) throw invalidField('/amount', 'is a decimal number');
  if (compare(amount, zero) < 0 || isZero(amount)) throw invalidField('/amount', 'is above zero');
  if (compare(round(amount, 9), amount) !== 0)
    throw invalidField('/amount', 'has at most nine digits behind the point');
  if (compare(amount, amountMax) > 0) throw invalidField('/amount', 'is at most 10^18');
  return amount;
};

const reservationIdOf = (text: string): string => {
  const id = parseUuid(text);
  if (id === null) throw invalidField('path:reservationId', 'is the id of a reservation');
  return id;
};

const keyReused = new ProblemException({
  status: 422,
  code: 'idempotency-key-reused',
  detail: 'This Idempotency-Key was used before with another body',
});

const committedOtherwise = new ProblemException({
  status: 409,
  code: 'committed-otherwise',
  detail: 'This reservation was committed with another amount',
});

const problemOf = (rejection: LimitReservationsRejection): ProblemException => {
  switch (rejection.code) {
    case 'limit-exceeded': {
      const { limit, current, reserved, available, isByHand } = rejection;
      const detail = isByHand
        ? 'The user is limited by hand'
        : `Of ${limit ?? ''}, ${current} is used and ${reserved} reserved: ${available} can be reserved`;
      return new ProblemException({ status: 409, code: 'limit-exceeded', detail });
    }
    case 'count-outdated':
      return new ProblemException({
        status: 503,
        code: 'count-outdated',
        detail: 'Usage is being counted; ask again',
      });
    case 'too-many-reservations':
      return new ProblemException({
        status: 429,
        code: 'too-many-reservations',
        detail: 'The user has as many open reservations of this unit as there may be',
      });
    case 'reservation-not-open':
      return new ProblemException({
        status: 409,
        code: 'reservation-not-open',
        detail: 'This reservation has expired, was released or committed, or was never made',
      });
    case 'amount-above-reservation': {
      const message = `is at most what was reserved, ${rejection.reserved}`;
      return invalidField('/amount', message);
    }
  }
};
