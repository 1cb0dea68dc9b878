import type { AccountInvoicesEvent, LateUsagePeriod } from '../account-invoices.events';
import type { AccountInvoices } from '../account-invoices.state';
import { type Given, inSequence, occasionOf } from '../steps';
import { entriesIn } from '../sheets';
import { isSamePeriod } from '../subscription-ledger';
import { automaticRun } from './automatic-run';

/** Metering found that a period amounts to something else than it did when it was closed. */
export type RecordLateUsage = Given & { readonly type: 'RecordLateUsage'; readonly period: LateUsagePeriod };

/**
 * A period that was charged is counted again: at once, with an invoice of its own, or with the next one, as the tenant has
 * it. One that was not charged (or whose invoice was voided since) will be, by what it amounts to then. While a run waits
 * for other usage the news wait with it, for it may have been given the old quantity.
 */
export const recordLateUsage = (state: AccountInvoices, command: RecordLateUsage): readonly AccountInvoicesEvent[] => {
  const { account, pending } = state;
  const { period } = command;
  const ledger = state.subscriptions[period.subscriptionId];
  if (account === null || ledger === undefined) return [];
  const isCharged = entriesIn(ledger.usage).some((billed) => isSamePeriod(billed, period));
  if (!isCharged && pending === null) return [];
  const occasion = occasionOf(command);
  return inSequence(state, [
    () => [{ type: 'LateUsageRecorded', data: { accountId: account.accountId, ...period } }],
    occasion.settings.lateUsage.mode === 'CORRECT_PERIOD' && pending === null ? automaticRun(occasion) : () => [],
  ]);
};
