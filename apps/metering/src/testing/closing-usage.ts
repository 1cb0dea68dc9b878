import { newId } from '@billstream/kernel';
import { usageClosingStream } from '@billstream/metering-domain';
import type { BillingTransition, ResolvedPhase } from '@billstream/subscriptions-contracts';
import type { Loose, meteringWithTenant } from './metering-over-http';

/** A plan that prices these units. */
export const phase = (planName: string, units: readonly string[], capacity: readonly string[] = []): ResolvedPhase =>
  ({
    planName,
    productCategory: 'BASE',
    usages: [
      {
        tiers: [
          {
            blocks: units.map((name) => ({ unit: name, size: '1', max: null, price: '1' })),
            limits: capacity.map((name) => ({ unit: name, max: null })),
          },
        ],
      },
    ],
  }) as unknown as ResolvedPhase;
export const transition = (effectiveAt: string, on: ResolvedPhase | null) =>
  ({ effectiveAt, phase: on }) as unknown as BillingTransition;

/** Users who hold plans, and periods that are closed for their invoices; the service may be made later than this. */
export const closingUsage = (service: () => Awaited<ReturnType<typeof meteringWithTenant>>, noon: string) => {
  const holder = async (user: string, transitions: readonly BillingTransition[]) => {
    const [accountId, subscriptionId] = [newId(), newId()];
    const facts = {
      accountId,
      externalKey: user,
      timeZone: 'UTC',
      currency: null,
      referenceTime: noon,
      billCycleDayLocal: 0,
      parentAccountId: null,
      isPaymentDelegatedToParent: false,
    } as never;
    await service().facts.recordNewAccount(service().heard('accounts.account-created.v1', facts));
    await service().facts.recordPlans(
      service().heard('subscriptions.billing-changed.v1', { accountId, subscriptionId, transitions } as never),
    );
    await service().runtime.caughtUp();
    return { accountId, subscriptionId };
  };
  const close = async (
    user: string,
    { accountId, subscriptionId }: { accountId: string; subscriptionId: string },
    unitName: string,
    { planName = 'standard-monthly', from = '2024-05-01T00:00:00.000Z', to = '2024-06-01T00:00:00.000Z' } = {},
  ) => {
    const requestId = newId();
    const data = {
      requestId,
      accountId,
      accountExternalKey: user,
      subscriptionId,
      planName,
      timeZone: 'UTC',
      periods: [{ unit: unitName, usageName: 'usage', fromAt: from, toAt: to }],
    } as never;
    const message = service().heard('invoicing.usage-requested.v1', data);
    await service().requests.closeUsage(message);
    await service().requests.closeUsage(message);
    const closed = (await service().store.read(usageClosingStream(subscriptionId))).filter(
      (event: Loose) => event.data.requestId === requestId,
    );
    expect(closed).toHaveLength(1);
    return (closed[0]!.data as Loose).usages[0];
  };

  return { holder, close };
};
