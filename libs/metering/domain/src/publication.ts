import type { LimitTransition } from '@billstream/metering-contracts';
import type { Publication } from '@billstream/event-sourcing';
import { limitNewsSchema } from './limit-news';
import { type UsageClosedEvent, usageClosingSchema } from './usage-closing';

/** What others hear of metering: closed usage, in order per account; limits, in order per user. */
export const meteringPublication: Publication = ({ type, data }) => {
  switch (type) {
    case usageClosingSchema.names.UsageClosed:
      return [{ type: 'metering.usage-closed.v1', key: (data as UsageClosedEvent['data']).accountId, data }];
    case limitNewsSchema.names.LimitReached:
      return [{ type: 'metering.limit-reached.v1', key: (data as LimitTransition).user, data }];
    case limitNewsSchema.names.LimitReleased:
      return [{ type: 'metering.limit-released.v1', key: (data as LimitTransition).user, data }];
    default:
      return [];
  }
};
