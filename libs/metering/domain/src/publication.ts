import type { LimitTransition, ReservationCommitted } from '@billstream/metering-contracts';
import type { Publication } from '@billstream/event-sourcing';
import { limitNewsSchema } from './limit-news';
import { limitReservationsSchema } from './limit-reservations';
import { type UsageClosedEvent, type UsageClosingEvent, usageClosingSchema } from './usage-closing';

/** What others hear of metering: closed usage, in order per account; limits, in order per user. */
export const meteringPublication: Publication = ({ type, data }) => {
  switch (type) {
    case usageClosingSchema.names.UsageClosed: {
      const { requestId, accountId, subscriptionId, usages } = data as UsageClosedEvent['data'];
      return [
        {
          type: 'metering.usage-closed.v1',
          key: accountId,
          data: { requestId, accountId, subscriptionId, usages },
        },
      ];
    }
    case usageClosingSchema.names.LateUsageCounted: {
      const late = data as Extract<UsageClosingEvent, { type: 'LateUsageCounted' }>['data'];
      // Late usage may be free, or make up for what was corrected: then nobody need look at the bill again.
      return late.quantity === late.closedQuantity
        ? []
        : [{ type: 'metering.late-usage-counted.v1', key: late.accountId, data: late }];
    }
    case limitReservationsSchema.names.ReservationCommitted:
      return [{ type: 'metering.reservation-committed.v1', key: (data as ReservationCommitted).user, data }];
    case limitNewsSchema.names.LimitReached:
      return [{ type: 'metering.limit-reached.v1', key: (data as LimitTransition).user, data }];
    case limitNewsSchema.names.LimitReleased:
      return [{ type: 'metering.limit-released.v1', key: (data as LimitTransition).user, data }];
    default:
      return [];
  }
};
