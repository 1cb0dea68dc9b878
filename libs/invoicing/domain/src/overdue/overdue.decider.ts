import type { ControlTag } from '@billstream/accounts-contracts';
import { type Decider, accept } from '@billstream/event-sourcing';
import { type Instant, type LocalDate, plusDuration } from '@billstream/kernel';
import { type Overdue, type OverdueEvent, clearState, evolveOverdue, notOverdue } from './overdue';
import type { OverdueConfig, OverdueInterval } from './overdue-config';
import { type Debts, overdueFacts, overdueStateOf } from './overdue-state-of';

/** Looks at what is owed, by the tenant's states. `today` is the account's day at `now`. */
export type EvaluateOverdue = {
  readonly type: 'EvaluateOverdue';
  readonly data: {
    readonly accountId: string;
    readonly config: OverdueConfig;
    readonly debts: Debts;
    readonly today: LocalDate;
    readonly now: Instant;
  };
};
export type OverdueCommand =
  | {
      readonly type: 'RecordOverdueTag';
      readonly data: { readonly accountId: string; readonly tag: ControlTag; readonly isSet: boolean };
    }
  | EvaluateOverdue;

const plusInterval = (now: Instant, { unit, number }: OverdueInterval): Instant =>
  `${plusDuration(now.slice(0, 10) as LocalDate, unit, number)}${now.slice(10)}` as Instant;

/** A check that was scheduled stays where it is; only a nearer one takes its place (Kill Bill keeps the earliest). */
const checkAfter = (pending: Instant | null, interval: OverdueInterval | null, now: Instant): Instant | null => {
  if (interval === null) return pending !== null && pending > now ? pending : null;
  const wanted = plusInterval(now, interval);
  return pending !== null && pending > now && pending < wanted ? pending : wanted;
};

const evaluate = (overdue: Overdue, { data }: EvaluateOverdue): readonly OverdueEvent[] => {
  const { accountId, config, debts, today, now } = data;
  const facts = overdueFacts(debts, today);
  const isEnforced = !overdue.tags.includes('OVERDUE_ENFORCEMENT_OFF');
  const state = isEnforced ? overdueStateOf(config, facts, { tags: overdue.tags, today }) : clearState;
  const isCalm = state.isClear && (!isEnforced || facts.unpaidInvoices === 0);
  const interval = state.isClear ? config.initialReevaluationInterval : state.autoReevaluationInterval;
  const checkAt = isCalm ? null : checkAfter(overdue.checkAt, interval, now);
  return [
    ...(state.name === overdue.current.name
      ? []
      : [{ type: 'OverdueStateEntered', data: { accountId, state, facts, at: now } } as const]),
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
    const { tag, isSet } = command.data;
    return state.tags.includes(tag) === isSet
      ? accept<OverdueEvent>()
      : accept<OverdueEvent>({ type: 'OverdueTagRecorded', data: command.data });
  },
  evolve: evolveOverdue,
};
