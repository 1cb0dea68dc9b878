import type { PublicEvent } from '@billstream/event-sourcing';
import type { ReservationCommitted } from '@billstream/metering-contracts';
import { Controller, Inject } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { type Metering, meteringToken } from '../metering';
import { recordCommitted } from '../reservations';

/** Records what was committed, should the process that took it have died before: the record's name makes it one. */
@Controller()
export class OnReservationCommitted {
  constructor(@Inject(meteringToken) private readonly metering: Metering) {}

  @EventPattern('metering.reservation-committed.v1')
  async record(
    @Payload() event: PublicEvent<'metering.reservation-committed.v1', ReservationCommitted>,
  ): Promise<void> {
    await recordCommitted(this.metering, event.tenantId, event.data);
  }
}
