import type { ControlTag } from '@billstream/accounts-contracts';
import { type DomainEvent, type Publication, defineSchema } from '@billstream/event-sourcing';
import type { InvoicingEvent } from '@billstream/invoicing-contracts';
import type { Currency, Instant, LocalDate } from '@billstream/kernel';
import { type OverdueStateDefinition, clearStateName } from './overdue-config';

/** An overdue state as it was when the account entered it: a later upload does not change what the account is in. */
export type EnteredState = Omit<OverdueStateDefinition, 'condition'>;

/** What led to a state. Amounts are minor units. */
export type OverdueFacts = {
  /** Whose invoices were looked at: the account's own, or those of the parent that pays for it. */
  readonly payerAccountId: string;
  readonly currency: Currency | null;
  readonly unpaidInvoices: number;
  readonly unpaidMinor: number;
  readonly earliestUnpaidDate: LocalDate | null;
};

export type OverdueEvent =
  | DomainEvent<'OverdueTagRecorded', { readonly accountId: string; readonly tag: ControlTag; readonly isSet: boolean }>
  | DomainEvent<
      'OverdueStateEntered',
      { readonly accountId: string; readonly state: EnteredState; readonly facts: OverdueFacts; readonly at: Instant }
    >
  /** When to look again by time alone; null: nothing to wait for. */
  | DomainEvent<'OverdueCheckScheduled', { readonly accountId: string; readonly at: Instant | null }>;

export type Overdue = {
  readonly tags: readonly ControlTag[];
  readonly current: EnteredState;
  readonly checkAt: Instant | null;
};

export const clearState: EnteredState = {
  name: clearStateName,
  isClear: true,
  externalMessage: null,
  blockChanges: false,
  disableEntitlement: false,
  cancellationPolicy: 'NONE',
  autoReevaluationInterval: null,
};

export const notOverdue: Overdue = { tags: [], current: clearState, checkAt: null };

export const evolveOverdue = (state: Overdue, { type, data }: OverdueEvent): Overdue => {
  switch (type) {
    case 'OverdueTagRecorded': {
      const others = state.tags.filter((tag) => tag !== data.tag);
      return { ...state, tags: data.isSet ? [...others, data.tag] : others };
    }
    case 'OverdueStateEntered':
      return { ...state, current: data.state };
    case 'OverdueCheckScheduled':
      return { ...state, checkAt: data.at };
  }
};

export const overdueStreams = 'overdue-';
export const overdueStream = (accountId: string): string => `${overdueStreams}${accountId}`;

export const overdueSchema = defineSchema<OverdueEvent>({
  OverdueTagRecorded: 'overdue.tag-recorded.v1',
  OverdueStateEntered: 'overdue.state-entered.v1',
  OverdueCheckScheduled: 'overdue.check-scheduled.v1',
});

/** Others hear what a state does, not what led to it. */
export const overduePublication: Publication = (recorded) => {
  const event = overdueSchema.decode(recorded);
  if (event?.type !== 'OverdueStateEntered') return [];
  const { accountId, state } = event.data;
  const { name: stateName, isClear, blockChanges, disableEntitlement, cancellationPolicy } = state;
  const published: Extract<InvoicingEvent, { readonly type: 'invoicing.overdue-changed.v1' }> = {
    type: 'invoicing.overdue-changed.v1',
    data: { accountId, stateName, isClear, blockChanges, disableEntitlement, cancellationPolicy },
  };
  return [{ ...published, key: accountId }];
};
