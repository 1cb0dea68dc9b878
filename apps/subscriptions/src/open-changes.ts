import type { DueItem } from '@billstream/postgres';
import type { ServiceRuntime } from '@billstream/service-runtime';
import { accountChangesStream } from '@billstream/subscriptions-domain';
import { accountChangeDue } from '@billstream/subscriptions-read-models';
import { resumeChange } from './account-changes';
import { subscriptionsOn } from './subscriptions';

const whereItBegan = (payload: object): { readonly accountId: string; readonly revision: bigint } | null =>
  'accountId' in payload &&
  typeof payload.accountId === 'string' &&
  'revision' in payload &&
  typeof payload.revision === 'string'
    ? { accountId: payload.accountId, revision: BigInt(payload.revision) }
    : null;

/** A change of several bundles that was begun and not ended: whoever made it has gone, and it is completed here. */
export const openChanges = (runtime: ServiceRuntime): Readonly<Record<string, (item: DueItem) => Promise<void>>> => {
  const subscriptions = subscriptionsOn(runtime);
  return {
    [accountChangeDue]: async ({ payload }) => {
      const began = whereItBegan(payload);
      if (began === null) return;
      const [event] = await runtime.store.read(accountChangesStream(began.accountId), began.revision, 1);
      if (event !== undefined) await resumeChange(subscriptions, event);
    },
  };
};
