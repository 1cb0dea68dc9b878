import type { IncomingHttpHeaders } from 'node:http';
import { completedRequestOf, forwardCompleted } from './completed-request';
import { answerTimeline, timelineAccountOf } from './composed-answer';
import type { Exchange, Upstreams } from './dispatch';
import { answerItemUsage, asksForItemUsage } from './item-usage';
import { answerUsagePreview, asksForUsagePreview } from './usage-preview';

/** Answers what more than one service has a part in (ADR 0015); false: it is for one service alone. */
export const answerTogether = async (
  upstreams: Upstreams,
  exchange: Exchange,
  headers: IncomingHttpHeaders,
): Promise<boolean> => {
  const accountId = timelineAccountOf(exchange);
  if (accountId !== null) {
    await answerTimeline(upstreams, exchange, headers, accountId);
    return true;
  }
  if (asksForItemUsage(exchange)) {
    await answerItemUsage(upstreams, exchange, headers);
    return true;
  }
  if (asksForUsagePreview(exchange)) {
    await answerUsagePreview(upstreams, exchange, headers);
    return true;
  }
  const completed = completedRequestOf(exchange);
  if (completed === null) return false;
  await forwardCompleted(upstreams, exchange, headers, completed);
  return true;
};
