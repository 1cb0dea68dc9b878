import type { AccountFacts } from '@billstream/accounts-contracts';
import { publicEventsOf } from '@billstream/event-sourcing';
import { type Instant, newId, parseCurrency } from '@billstream/kernel';
import { serviceUnderTest } from '@billstream/service-runtime/testing';
import { subscriptionsService } from '../index';
import { OnAccounts } from '../reactions/on-accounts';
import { OnInvoicing } from '../reactions/on-invoicing';

/** The service's endpoints and reactions over the memory store and a real database, with a clock that tests set. */
export const subscriptionsUnderTest = async (startsAt: Instant) => {
  let now = startsAt;
  const service = await serviceUnderTest(subscriptionsService, { now: () => now });
  const { app, runtime, store, tenantId, told } = service;
  const due = subscriptionsService.dueWork?.(runtime) ?? {};
  return {
    ...service,
    reactions: { accounts: app.get(OnAccounts), invoicing: app.get(OnInvoicing) },
    usesDefaultCatalog: async () => {
      await app
        .get(OnAccounts)
        .tenantCreated(
          told('accounts.tenant-created.v1', { tenantId, apiKey: 'k', externalKey: 'k', useGlobalDefault: true }),
        );
      await runtime.caughtUp();
    },
    hasAccount: async (more: Partial<AccountFacts> = {}): Promise<string> => {
      const accountId = newId();
      const facts: AccountFacts = {
        accountId,
        externalKey: accountId,
        currency: parseCurrency('USD'),
        timeZone: 'Etc/UTC',
        referenceTime: now,
        billCycleDayLocal: 0,
        parentAccountId: null,
        isPaymentDelegatedToParent: false,
        ...more,
      };
      await app.get(OnAccounts).accountCreated(told('accounts.account-created.v1', facts));
      await runtime.caughtUp();
      return accountId;
    },
    /** Sets the clock and does what falls due, in order. */
    isNow: async (at: Instant): Promise<number> => {
      now = at;
      await runtime.caughtUp();
      let done = 0;
      for (let [item] = await service.dueBy(now); item !== undefined && done < 100; [item] = await service.dueBy(now)) {
        await due[item.kind]?.(item);
        done += 1;
      }
      return done;
    },
    published: async () => {
      const { events } = await store.readAll({ after: null, prefixes: subscriptionsService.streams });
      return events.flatMap((event) => publicEventsOf(event, subscriptionsService.publication));
    },
  };
};
