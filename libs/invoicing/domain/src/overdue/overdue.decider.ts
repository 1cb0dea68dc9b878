import type { ControlTag } from '@billstream/accounts-contracts';
import { type Decider, accept } from '@billstream/event-sourcing';
import { type Instant, type LocalDate, plusDuration } from '@billstream/kernel';
import { type Overdue, type OverdueEvent, clearState, evolveOverdue, notOverdue } from './overdue';
import type { OverdueConfig, OverdueInterval } from './overdue-config';
import { type Debts, overdueFacts, overdueStateOf } from './overdue-state-of';

/**
 * Looks at what is owed, by the tenant's states. `today` is the account's day by the clock; `since` is from when on what
 * is found holds, and the next check counts from there: the date of a check that came due, however late it is done, else
 * the clock's instant (Kill Bill 2.16).
 */
export type EvaluateOverdue = {
  readonly type: 'EvaluateOverdue';
  readonly data: {
    readonly accountId: string;
    readonly config: OverdueConfig;
    readonly debts: Debts;
    readonly today: LocalDate;
    readonly since: Instant;
  };
};
export type OverdueCommand =
  | {
      readonly type: 'RecordOverdueTag';
      readonly data: { readonly accountId: string; readonly tag: ControlTag; readonly isSet: boolean };
    }
  /** Nothing is looked at by itself any more, until something changes. */
  | { readonly type: 'CancelOverdueCheck'; readonly data: { readonly accountId: string } }
  | EvaluateOverdue;

const plusInterval = (at: Instant, { unit, number }: OverdueInterval): Instant =>
  `${plusDuration(at.slice(0, 10) as LocalDate, unit, number)}${at.slice(10)}` as Instant;

/** A check that was scheduled stays where it is; only a nearer one takes its place (Kill Bill keeps the earliest). */
const checkAfter = (scheduled: Instant | null, interval: OverdueInterval | null, since: Instant): Instant | null => {
  const pending = scheduled === since ? null : scheduled;
  if (interval === null) return pending;
  const wanted = plusInterval(since, interval);
  return pending !== null && pending < wanted ? pending : wanted;
};

const evaluate = (overdue: Overdue, { data }: EvaluateOverdue): readonly OverdueEvent[] => {
  const { accountId, config, debts, today, since } = data;
  const facts = overdueFacts(debts, today);
  const isEnforced = !overdue.tags.includes('OVERDUE_ENFORCEMENT_OFF');
  const state = isEnforced ? overdueStateOf(config, facts, { tags: overdue.tags, today }) : clearState;
  const isCalm = state.isClear && (!isEnforced || facts.unpaidInvoices === 0);
  const interval = state.isClear ? config.initialReevaluationInterval : state.autoReevaluationInterval;
  const checkAt = isCalm ? null : checkAfter(overdue.checkAt, interval, since);
  return [
    ...(state.name === overdue.current.name
      ? []
      : [{ type: 'OverdueStateEntered', data: { accountId, state, facts, at: since } } as const]),
    ...(checkAt === overdue.checkAt
      ? []
      : [{ type: 'OverdueCheckScheduled', data: { accountId, at: checkAt } } as const]),
  ];
};

/** Whether an account is overdue, and how badly: a stream `overdue-<accountId>`. */
export const overdueDecider: Decider<OverdueCommand, OverdueEvent, Overdue, never> = {
  initial: notOverdue,
  decide: (command, state) => {
    if (command.type === 'EvaluateOverdue') return accept(...evaluate(state, command));
    if (command.type === 'CancelOverdueCheck')
      return state.checkAt === null
        ? accept()
        : accept<OverdueEvent>({ type: 'OverdueCheckScheduled', data: { ...command.data, at: null } });
    const { tag, isSet } = command.data;
    return state.tags.includes(tag) === isSet
      ? accept<OverdueEvent>()
      : accept<OverdueEvent>({ type: 'OverdueTagRecorded', data: command.data });
  },
  evolve: evolveOverdue,
};
