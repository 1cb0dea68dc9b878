import { dayIn } from '../account-days';
import type { When } from '../case-file';
import { type Stage, accountOf, bundleOf, subscriptionOf } from '../stage';
import type { Action } from './action';

type Dated = { readonly bundle: string; readonly date?: When };

const pausing =
  (verb: 'pause' | 'resume'): Action<Dated> =>
  async (stage, { bundle, date }) => {
    const { bundleId } = bundleOf(stage, bundle);
    await stage.requests.send('PUT', `/bundles/${bundleId}/${verb}`, { query: { requestedDate: date } });
  };

type Block = {
  readonly target: string;
  readonly type: 'ACCOUNT' | 'SUBSCRIPTION_BUNDLE' | 'SUBSCRIPTION';
  readonly stateName: string;
  readonly service: string;
  readonly blockChange: boolean;
  readonly blockEntitlement: boolean;
  readonly blockBilling: boolean;
  readonly date?: When | null;
};

const blockedPath = (stage: Stage, { type, target }: Block): string => {
  switch (type) {
    case 'ACCOUNT':
      return `/accounts/${accountOf(stage, target).accountId}/block`;
    case 'SUBSCRIPTION_BUNDLE':
      return `/bundles/${bundleOf(stage, target).bundleId}/block`;
    case 'SUBSCRIPTION':
      return `/subscriptions/${subscriptionOf(stage, target).subscriptionId}/block`;
  }
};

const block: Action<Block> = async (stage, args) => {
  await stage.requests.send('POST', blockedPath(stage, args), {
    query: { requestedDate: args.date ?? undefined },
    body: {
      type: args.type,
      stateName: args.stateName,
      service: args.service,
      isBlockChange: args.blockChange,
      isBlockEntitlement: args.blockEntitlement,
      isBlockBilling: args.blockBilling,
    },
  });
};

type Transfer = {
  readonly from: string;
  readonly to: string;
  readonly bundleKey: string;
  readonly date: When;
  readonly cancelImmediately: boolean;
  readonly bcdTransfer: string;
  readonly newBundle: string;
};

type TransferredJson = { readonly bundleId: string; readonly externalKey: string };

/** Without a date it happens now. What the old account has left of its term it keeps unless it is to end at once. */
const transferBundle: Action<Transfer> = async (stage, args, { at }) => {
  const bundle = [...stage.bundles.values()].find(
    ({ key, account }) => key === args.bundleKey && account === args.from,
  );
  if (bundle === undefined) throw new Error(`${args.from} has no bundle ${args.bundleKey}`);
  const answer = await stage.requests.send('POST', `/bundles/${bundle.bundleId}`, {
    query: {
      requestedDate: args.date === at ? undefined : dayIn(accountOf(stage, args.from).time, args.date),
      billingPolicy: args.cancelImmediately ? 'IMMEDIATE' : 'END_OF_TERM',
      bcdTransfer: args.bcdTransfer,
    },
    body: { accountId: accountOf(stage, args.to).accountId, bundleId: bundle.bundleId },
  });
  const made = await stage.requests.created<TransferredJson>(answer);
  if (made === null) throw new Error('a transferred bundle without an address');
  stage.bundles.set(args.newBundle, { bundleId: made.bundleId, account: args.to, key: made.externalKey });
};

export const bundleActions = { pause: pausing('pause'), resume: pausing('resume'), block, transferBundle };
