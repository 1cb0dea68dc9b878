import { type Decider, type Decision, type Rejection, accept, defineSchema, reject } from '@billstream/event-sourcing';
import type { Instant } from '@billstream/kernel';
import { isInForce } from '../bundle/blocking';
import type { BlockingState } from '../bundle/bundle';
import type { HandOverBundle, ReceiveBundle, StartSubscriptions } from '../bundle/bundle.commands';
import { repeatsState } from '../bundle/set-blocking-state';
import type { BillingPolicy } from '../catalog/catalog';

/** What one bundle of a creation gets. Account and catalog are looked up when it is done. */
export type PlannedCreation = Omit<
  StartSubscriptions,
  'account' | 'catalog' | 'accountStates' | 'isFollowed' | 'now'
> & {
  /** The bundle has its key to claim first; false where the bundle exists or is called by its id. */
  readonly claimsKey: boolean;
  readonly renameUnused: boolean;
};

/** A change of several bundles, decided as a whole before the first of them is touched. */
export type AccountChange =
  | { readonly kind: 'CREATE'; readonly creations: readonly PlannedCreation[] }
  | { readonly kind: 'BLOCK'; readonly state: BlockingState }
  /**
   * Ends every subscription that is not an add-on and has no end to its billing: entitlement now or from an instant in
   * the past on, billing by the policy.
   */
  | {
      readonly kind: 'CANCEL';
      readonly billing: Exclude<BillingPolicy, 'ILLEGAL'>;
      readonly entitlementAt?: Instant;
    }
  /** From this account to another one. */
  | ({
      readonly kind: 'TRANSFER';
      readonly fromBundleId: string;
      readonly toBundleId: string;
      readonly toAccountId: string;
      readonly isRepriced: boolean;
    } & Omit<HandOverBundle, 'now'> &
      Pick<ReceiveBundle, 'billCycleDay' | 'externalKeys'>);

type Begun = {
  readonly changeId: string;
  readonly accountId: string;
  readonly at: Instant;
  readonly change: AccountChange;
};

export type AccountChangeEvent =
  | { readonly type: 'AccountChangeBegun'; readonly data: Begun }
  | {
      readonly type: 'AccountChangeEnded';
      readonly data: {
        readonly changeId: string;
        readonly accountId: string;
        /** Why parts of it could not be done, in words; empty when all was. */
        readonly refusals: readonly string[];
      };
    };

export type AccountChangeCommand =
  | { readonly type: 'BeginAccountChange'; readonly data: Begun }
  | {
      readonly type: 'EndAccountChange';
      readonly data: Extract<AccountChangeEvent, { readonly type: 'AccountChangeEnded' }>['data'];
    };

export type AccountChanges = {
  /** Of the account itself, in order of effect. Its bundles know them, too. */
  readonly blockingStates: readonly BlockingState[];
  readonly open: readonly Begun[];
};

export const noAccountChanges: AccountChanges = { blockingStates: [], open: [] };

const byEffect = (a: BlockingState, b: BlockingState): number =>
  a.effectiveAt < b.effectiveAt ? -1 : a.effectiveAt > b.effectiveAt ? 1 : 0;

const evolve = (state: AccountChanges, event: AccountChangeEvent): AccountChanges => {
  if (event.type === 'AccountChangeEnded')
    return { ...state, open: state.open.filter(({ changeId }) => changeId !== event.data.changeId) };
  const { change } = event.data;
  return {
    blockingStates:
      change.kind === 'BLOCK' ? [...state.blockingStates, change.state].toSorted(byEffect) : state.blockingStates,
    open: [...state.open, event.data],
  };
};

/** The account is blocked for changes (Kill Bill 6000). Nothing but blocking and cancelling goes on then. */
export type AccountBlocked = Rejection<'change-blocked'> & { readonly detail: string };

const blockedRefusal = ({ blockingStates }: AccountChanges, { change, at }: Begun): AccountBlocked | null => {
  if (change.kind === 'BLOCK' || change.kind === 'CANCEL') return null;
  const blocked = accountBlockingAt(blockingStates, at).find(({ blockChange }) => blockChange);
  return blocked === undefined
    ? null
    : {
        code: 'change-blocked',
        detail: `The account is blocked for changes by ${blocked.service} (${blocked.stateName})`,
      };
};

/** The state of each service on the account itself at an instant. */
export const accountBlockingAt = (states: readonly BlockingState[], at: Instant): readonly BlockingState[] => [
  ...new Map(states.filter((state) => isInForce(state, at)).map((state) => [state.service, state] as const)).values(),
];

const decide = (
  { type, data }: AccountChangeCommand,
  state: AccountChanges,
): Decision<AccountChangeEvent, AccountBlocked> => {
  if (type === 'EndAccountChange')
    return state.open.some(({ changeId }) => changeId === data.changeId)
      ? accept<AccountChangeEvent>({ type: 'AccountChangeEnded', data })
      : accept();
  const refusal = blockedRefusal(state, data);
  if (refusal !== null) return reject(refusal);
  return data.change.kind === 'BLOCK' && repeatsState(state.blockingStates, data.change.state)
    ? accept()
    : accept<AccountChangeEvent>({ type: 'AccountChangeBegun', data });
};

/**
 * One stream an account, `accountChanges-<accountId>`: what changes several of its bundles is in the log before the first
 * one is touched, so that it is completed after a crash, and invoicing is told when it is through.
 */
export const accountChangesDecider: Decider<AccountChangeCommand, AccountChangeEvent, AccountChanges, AccountBlocked> =
  {
    initial: noAccountChanges,
    decide,
    evolve,
  };

export const accountChangesStream = (accountId: string): string => `accountChanges-${accountId}`;

export const accountChangesSchema = defineSchema<AccountChangeEvent>({
  AccountChangeBegun: 'account-change.begun.v1',
  AccountChangeEnded: 'account-change.ended.v1',
});
