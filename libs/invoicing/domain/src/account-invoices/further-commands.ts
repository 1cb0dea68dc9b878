import type { AccountInvoicesCommand } from './account-invoices.decider';
import type { AccountInvoicesEvent } from './account-invoices.events';
import { creditMovesMax } from './credit';

/**
 * What is left to decide after a command that touched more invoices than fit into one decision: each is a decision of its
 * own, and any that comes later finds what an interrupted one left. The same events give the same commands.
 */
export const furtherCommands = (
  command: AccountInvoicesCommand,
  events: readonly AccountInvoicesEvent[],
): readonly AccountInvoicesCommand[] => {
  const isCreditLeft = events.some(({ type, data }) => type === 'CreditApplied' && data.items.length >= creditMovesMax);
  const { now } = command;
  return [
    ...(isCreditLeft ? [{ type: 'RebalanceCredit' as const, now }] : []),
    ...(command.type === 'RecordClosing' && isPartOfClosing(events) ? [command] : []),
  ];
};

const isPartOfClosing = (events: readonly AccountInvoicesEvent[]): boolean =>
  events.length > 0 && events.every(({ type }) => type !== 'ClosingAdjusted');
