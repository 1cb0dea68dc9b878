import { derivedId } from '@billstream/kernel';
import { type BlockingState, type Bundle, type Subscription, entitlementEnd } from '@billstream/subscriptions-domain';
import { IsBoolean, IsOptional, IsString, Length } from 'class-validator';
import { reservedState } from './problems';

/** Kill Bill's BlockingState as a request. Before 0.19.16 the flags had no `is` in front; both are taken. */
export class BlockingStateRequest {
  @IsString() @Length(1, 50) readonly stateName!: string;
  @IsString() @Length(1, 20) readonly service!: string;
  @IsOptional() @IsBoolean() readonly isBlockChange?: boolean | null;
  @IsOptional() @IsBoolean() readonly isBlockEntitlement?: boolean | null;
  @IsOptional() @IsBoolean() readonly isBlockBilling?: boolean | null;
  @IsOptional() @IsBoolean() readonly blockChange?: boolean | null;
  @IsOptional() @IsBoolean() readonly blockEntitlement?: boolean | null;
  @IsOptional() @IsBoolean() readonly blockBilling?: boolean | null;
}

export class RequestedDateQuery {
  @IsOptional() @IsString() readonly requestedDate?: string;
}

/** What a state blocks, and whose it is. */
export type Flags = Pick<BlockingState, 'service' | 'stateName' | 'blockChange' | 'blockEntitlement' | 'blockBilling'>;

const entitlement = 'entitlement-service';
const reserved = ['ENT_STARTED', 'ENT_BLOCKED', 'ENT_CLEAR', 'ENT_CANCELLED'];

/** A pause of a bundle, or its end. */
export const paused = (isPaused: boolean): Flags => ({
  service: entitlement,
  stateName: isPaused ? 'ENT_BLOCKED' : 'ENT_CLEAR',
  blockChange: isPaused,
  blockEntitlement: isPaused,
  blockBilling: isPaused,
});

/** 1107 for a service or state name that belongs to the platform. */
export const flagsOf = (body: BlockingStateRequest): Flags => {
  if (body.service === entitlement) throw reservedState(`service: ${entitlement} is reserved`);
  if (reserved.includes(body.stateName)) throw reservedState(`stateName: ${body.stateName} is reserved`);
  return {
    service: body.service,
    stateName: body.stateName,
    blockChange: body.isBlockChange ?? body.blockChange ?? false,
    blockEntitlement: body.isBlockEntitlement ?? body.blockEntitlement ?? false,
    blockBilling: body.isBlockBilling ?? body.blockBilling ?? false,
  };
};

/** Kill Bill keeps start and end of an entitlement as states, too. */
const lifeOf = (bundle: Bundle, subscription: Subscription): readonly BlockingState[] => {
  const { subscriptionId: blockedId, entitlementAt, cancellation } = subscription;
  const state = { type: 'SUBSCRIPTION', blockedId, service: entitlement } as const;
  const started: BlockingState = {
    ...state,
    blockingId: derivedId(blockedId, 'entitlement-started'),
    stateName: 'ENT_STARTED',
    blockChange: false,
    blockEntitlement: false,
    blockBilling: false,
    effectiveAt: entitlementAt,
  };
  const end = entitlementEnd(bundle, subscription);
  if (end?.kind !== 'CANCEL') return [started];
  return [
    started,
    {
      ...state,
      blockingId: derivedId(blockedId, 'entitlement-ended', cancellation?.cancellationId ?? ''),
      stateName: 'ENT_CANCELLED',
      blockChange: true,
      blockEntitlement: true,
      blockBilling: false,
      effectiveAt: end.at,
    },
  ];
};

/** Everything that was set on a bundle and its subscriptions, without what it knows of its account. */
export const statesOfBundle = (bundle: Bundle): readonly BlockingState[] => [
  ...bundle.blockingStates.filter(({ type }) => type !== 'ACCOUNT'),
  ...bundle.subscriptions.flatMap((subscription) => lifeOf(bundle, subscription)),
];

export const blockingStateJson = (state: BlockingState) => ({
  blockedId: state.blockedId,
  stateName: state.stateName,
  service: state.service,
  isBlockChange: state.blockChange,
  isBlockEntitlement: state.blockEntitlement,
  isBlockBilling: state.blockBilling,
  effectiveDate: state.effectiveAt,
  type: state.type,
  auditLogs: [],
});
