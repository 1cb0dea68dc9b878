/** Bodies of the guide, with ids substituted. */
const hour = 3_600_000;
const day = 24 * hour;

/** Exactly the fields that the guide shows of an account, as they are before anything was added to it. */
export const newAccount = ({
  accountId,
  externalKey,
}: {
  readonly accountId: string;
  readonly externalKey: string;
}) => ({
  accountId,
  name: 'test1',
  firstNameLength: null,
  externalKey,
  email: externalKey,
  billCycleDayLocal: 0,
  currency: 'USD',
  parentAccountId: null,
  isPaymentDelegatedToParent: false,
  paymentMethodId: null,
  referenceTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
  timeZone: 'Etc/UTC',
  address1: null,
  address2: null,
  postalCode: null,
  company: null,
  city: null,
  state: null,
  country: null,
  locale: 'en_US',
  phone: null,
  notes: null,
  isMigrated: false,
  accountBalance: null,
  accountCBA: null,
  auditLogs: [],
});

export const checkoutOf = (accountId: string) => ({
  kb_account_id: accountId,
  currency: 'USD',
  options: {
    return_url: 'https://dev.nexclipper.com/checkout?q=SUCCESS',
    cancel_return_url: 'https://dev.nexclipper.com/checkout?q=FAILURE',
    billing_agreement: { description: 'Your subscription' },
  },
});

/** The two records as they stand in the guide, to the byte but for the user. */
export const guideUsage = (externalKey: string): string => `[
\t{
  "unit": "analytics",
  "user": "${externalKey}",
  "amount": 51
},
\t{
  "unit": "host",
  "user": "${externalKey}",
  "amount": 21
}
\t]`;

/**
 * Two days of a gauge: 24 hours of 30, then 24 hours of 20, with a gap of two hours on the first, which the mean of both
 * sides fills. And sums: 250 and 455 on two days, of which 10 a day are free.
 */
export const usageOfTwoDays = (externalKey: string, now: number) => {
  const firstHour = Math.ceil(now / hour) * hour;
  const gauge = Array.from({ length: 48 }, (_, i) => ({ i, amount: i < 24 ? 30 : 20 })).filter(
    ({ i }) => i !== 5 && i !== 6,
  );
  return [
    ...gauge.map(({ i, amount }) => ({
      unit: 'host',
      user: externalKey,
      amount,
      time: firstHour + i * hour + 60_000,
      id: `host-${String(i)}`,
    })),
    { unit: 'analytics', user: externalKey, amount: 250, time: firstHour + 2 * day, id: 'analytics-1' },
    { unit: 'analytics', user: externalKey, amount: 455, time: firstHour + 3 * day, id: 'analytics-2' },
  ];
};
