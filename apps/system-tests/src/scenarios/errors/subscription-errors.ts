import { randomUUID } from 'node:crypto';
import { type Case, ask, bundleOf, done, ended, made, nobody, stage, subscribed } from './stage';

/** Of subscriptions, bundles, the catalog and usage. */
export const subscriptionErrors: readonly Case[] = [
  [
    1001,
    400,
    'a cancellation before the start',
    () => ask('DELETE', `/subscriptions/${stage.subscriptionId}?requestedDate=2000-01-01`),
  ],
  [
    1011,
    400,
    'a phase that the plan does not have',
    () =>
      ask('POST', '/subscriptions', {
        accountId: stage.one.accountId,
        planName: 'pistol-monthly-notrial',
        phaseType: 'TRIAL',
      }),
  ],
  [
    1014,
    400,
    'a bundle key in use',
    () =>
      ask('POST', '/subscriptions', {
        accountId: stage.one.accountId,
        planName: 'shotgun-monthly',
        bundleExternalKey: 'taken',
      }),
  ],
  [
    1015,
    400,
    'a second base plan in a bundle',
    () =>
      ask('POST', '/subscriptions', {
        accountId: stage.one.accountId,
        planName: 'shotgun-monthly',
        bundleId: stage.bundleId,
      }),
  ],
  [
    1019,
    400,
    'an add-on that the base product does not take',
    () =>
      ask('POST', '/subscriptions', {
        accountId: stage.one.accountId,
        planName: 'telescopic-scope-monthly',
        bundleId: stage.bundleId,
      }),
  ],
  [
    1018,
    400,
    'an add-on that the base product includes',
    async () =>
      ask('POST', '/subscriptions', {
        accountId: stage.one.accountId,
        planName: 'telescopic-scope-monthly',
        bundleId: await bundleOf(await subscribed('assault-rifle-monthly')),
      }),
  ],
  [
    1013,
    400,
    'an add-on without a base plan',
    () =>
      ask('POST', '/subscriptions', {
        accountId: stage.one.accountId,
        planName: 'telescopic-scope-monthly',
        bundleExternalKey: randomUUID(),
      }),
  ],
  [
    1017,
    400,
    'an add-on beside a base plan that has ended',
    async () => {
      const id = await subscribed('shotgun-monthly');
      const bundle = await bundleOf(id);
      await done('DELETE', `/subscriptions/${id}?entitlementPolicy=IMMEDIATE&billingPolicy=IMMEDIATE`);
      return ask('POST', '/subscriptions', {
        accountId: stage.one.accountId,
        planName: 'telescopic-scope-monthly',
        bundleId: bundle,
      });
    },
  ],
  [
    1021,
    400,
    'a change of what has ended',
    async () => {
      const id = await ended(await subscribed());
      return ask('PUT', `/subscriptions/${id}`, { planName: 'shotgun-monthly' });
    },
  ],
  [
    1022,
    400,
    'a change of what is about to end',
    async () => {
      const id = await subscribed();
      await done('DELETE', `/subscriptions/${id}?requestedDate=2027-01-01&useRequestedDateForBilling=true`);
      return ask('PUT', `/subscriptions/${id}`, { planName: 'shotgun-monthly' });
    },
  ],
  [
    1023,
    400,
    'a change to a plan of another category',
    () => ask('PUT', `/subscriptions/${stage.subscriptionId}`, { planName: 'telescopic-scope-monthly' }),
  ],
  [
    1031,
    400,
    'a second cancellation',
    async () => {
      const id = await ended(await subscribed());
      return ask('DELETE', `/subscriptions/${id}`);
    },
  ],
  [
    1071,
    400,
    'an undone change where none is planned',
    () => ask('PUT', `/subscriptions/${stage.subscriptionId}/undoChangePlan`),
  ],
  [
    8004,
    400,
    'an undone cancellation where none is planned',
    () => ask('PUT', `/subscriptions/${stage.subscriptionId}/uncancel`),
  ],
  [1081, 404, 'an unknown bundle', () => ask('GET', `/bundles/${nobody}`)],
  [1082, 404, 'an unknown subscription', () => ask('GET', `/subscriptions/${nobody}`)],
  [1083, 404, 'an unknown subscription key', () => ask('GET', '/subscriptions?externalKey=none')],
  [1084, 404, 'an unknown bundle key', () => ask('GET', '/bundles?externalKey=none')],
  [
    1107,
    400,
    'a blocking state of the platform’s own',
    () => ask('POST', `/accounts/${stage.one.accountId}/block`, { service: 'entitlement-service', stateName: 'X' }),
  ],
  [
    2010,
    400,
    'a plan without a price in the account’s currency',
    async () =>
      ask('POST', '/subscriptions', {
        accountId: await made('/accounts', { currency: 'KRW' }),
        planName: 'pistol-monthly-notrial',
      }),
  ],
  [
    2013,
    400,
    'an unknown price list',
    () =>
      ask('POST', '/subscriptions', {
        accountId: stage.one.accountId,
        productName: 'Pistol',
        productCategory: 'BASE',
        billingPeriod: 'MONTHLY',
        priceList: 'NONE',
      }),
  ],
  [
    2020,
    400,
    'no plan of that period',
    () =>
      ask('POST', '/subscriptions', {
        accountId: stage.one.accountId,
        productName: 'Pistol',
        productCategory: 'BASE',
        billingPeriod: 'BIENNIAL',
        priceList: 'DEFAULT',
      }),
  ],
  [
    2021,
    400,
    'an unknown plan',
    () => ask('POST', '/subscriptions', { accountId: stage.one.accountId, planName: 'none' }),
  ],
  [
    2030,
    400,
    'an unknown product',
    () =>
      ask('POST', '/subscriptions', {
        accountId: stage.one.accountId,
        productName: 'None',
        productCategory: 'BASE',
        billingPeriod: 'MONTHLY',
        priceList: 'DEFAULT',
      }),
  ],
  [
    2060,
    400,
    'a simple plan that cannot be',
    () =>
      ask('POST', '/catalog/simplePlan', {
        planId: 'p',
        productName: 'Pistol',
        productCategory: 'ADD_ON',
        currency: 'USD',
        amount: 1,
        billingPeriod: 'MONTHLY',
        trialLength: 0,
        trialTimeUnit: 'UNLIMITED',
      }),
  ],
  [2080, 400, 'a catalog that is none', () => ask('POST', '/catalog/xml', '<catalog/>', 'text/xml')],
  [
    2081,
    400,
    'an overridden price of a phase that is not there',
    () =>
      ask('POST', '/subscriptions', {
        accountId: stage.one.accountId,
        planName: 'pistol-monthly-notrial',
        priceOverrides: [{ phaseName: 'none', recurringPrice: 1 }],
      }),
  ],
  [
    6000,
    400,
    'a change while it is blocked',
    async () => {
      const id = await subscribed();
      await done('PUT', `/bundles/${await bundleOf(id)}/pause`);
      return ask('PUT', `/subscriptions/${id}`, { planName: 'shotgun-monthly' });
    },
  ],
  [
    50000,
    400,
    'a tracking id twice',
    async () => {
      const id = await subscribed();
      const usage = {
        subscriptionId: id,
        trackingId: 'twice',
        unitUsageRecords: [{ unitType: 'bullets', usageRecords: [{ recordDate: '2026-03-01', amount: 1 }] }],
      };
      await done('POST', '/usages', usage);
      return ask('POST', '/usages', usage);
    },
  ],
  [
    1070,
    400,
    'an undone cancellation whose billing is over',
    async () => ask('PUT', `/subscriptions/${await ended(await subscribed())}/uncancel`),
  ],
  [
    1020,
    400,
    'plans that do not go together',
    () =>
      ask('POST', '/subscriptions/createSubscriptionWithAddOns', [
        { accountId: stage.one.accountId, planName: 'knife-monthly-notrial' },
        { accountId: stage.one.accountId, planName: 'telescopic-scope-monthly' },
      ]),
  ],
];
