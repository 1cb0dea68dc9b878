/**
 * `npm run demo`: plays one customer's day against a running server with the test clock (TEST_CLOCK=1 npm start) and
 * prints what happened. Options by environment: URL, EMULATOR_URL, ADMIN_USER, ADMIN_PASSWORD, TENANT_KEY, TENANT_SECRET.
 */
import { type Client, client } from './day/client';
import {
  type Account,
  type InvoiceJson,
  addPayPal,
  addPlanRule,
  changePlan,
  invoicesOf,
  moveClock,
  openAccount,
  recordUsage,
  subscribe,
  timeOf,
  uploadPayPalConfig,
} from './day/day';

const env = (name: string, fallback: string): string => process.env[name] ?? fallback;
const day = 86_400_000;
const hour = 3_600_000;
const usd = (amount: number): string => `${amount < 0 ? '-' : ''}$${Math.abs(amount).toFixed(2)}`;
const say = (text: string): void => console.log(text);
const chapter = (title: string): void => say(`\n\x1b[1m${title}\x1b[0m`);

const printInvoice = (invoice: InvoiceJson): void => {
  say(
    `  invoice ${invoice.invoiceNumber} of ${invoice.invoiceDate}: ${usd(invoice.amount)}, balance ${usd(invoice.balance)}`,
  );
  for (const item of invoice.items) {
    const what = item.usageName ?? item.planName ?? item.description ?? '';
    const period = item.endDate === null ? item.startDate : `${item.startDate} to ${item.endDate}`;
    say(`    ${item.itemType.padEnd(10)} ${what.padEnd(34)} ${period.padEnd(26)} ${usd(item.amount).padStart(9)}`);
  }
};

const limits = async (api: Client, user: string): Promise<void> => {
  for (const unit of ['host', 'analytics']) {
    const check = (await api.expect(200, 'GET', `/meter/limit/check/${unit}?user=${encodeURIComponent(user)}`)).json<{
      current: number;
      remaining: number | null;
      limited: boolean;
    }>();
    say(
      `  ${unit}: ${check.current} used, ${check.remaining ?? 'no limit'} remaining, ${check.limited ? 'LIMITED' : 'ok'}`,
    );
  }
};

const meterRules = async (api: Client): Promise<void> => {
  await addPlanRule(api, 'host', {
    applyPlan: true,
    basePlan: 'standard-pro',
    periodSplitting: 'HOUR',
    limitAmount: 40,
    freeAmount: 1,
    freePeriod: 'HOUR',
  });
  await addPlanRule(api, 'analytics', {
    applyPlan: true,
    basePlan: 'standard-pro',
    limitAmount: 1000,
    limitRefreshInterval: 'DAY',
    freeAmount: 10,
    freePeriod: 'DAY',
  });
  say('  host: hourly mean, limit 40, 1 free an hour; analytics: sum, limit 1000 a day, 10 free a day');
};

const useIt = async (api: Client, account: Account, now: Date): Promise<void> => {
  const records = Array.from({ length: 24 }, (_, i) => ({
    unit: 'host',
    user: account.externalKey,
    amount: 21,
    time: now.getTime() + i * hour,
    id: `host-${i}`,
  }));
  const answer = await recordUsage(api, [
    ...records,
    { unit: 'analytics', user: account.externalKey, amount: 51, time: now.getTime(), id: 'analytics-0' },
    { unit: 'analytics', user: account.externalKey, amount: 800, time: now.getTime() + 1000, id: 'analytics-1' },
  ]);
  say(`  ${answer.accepted} records accepted, ${answer.duplicates} duplicates, ${answer.rejected.length} rejected`);
};

const main = async (): Promise<void> => {
  const emulatorUrl = env('EMULATOR_URL', 'http://127.0.0.1:8090');
  const api = client({
    url: env('URL', 'http://127.0.0.1:8080'),
    emulatorUrl,
    user: env('ADMIN_USER', 'admin'),
    password: env('ADMIN_PASSWORD', 'password'),
    apiKey: env('TENANT_KEY', 'admin'),
    apiSecret: env('TENANT_SECRET', 'password'),
    patienceMs: 0,
  });
  const start = await timeOf(api).catch(() => null);
  if (start === null) throw new Error('no server with a test clock there: start one with TEST_CLOCK=1 npm start');

  chapter('Account');
  await uploadPayPalConfig(api);
  const account = await openAccount(api, `demo-${Date.now()}@example.com`);
  say(`  ${account.externalKey} is account ${account.accountId}`);
  const method = await addPayPal(api, account, emulatorUrl);
  say(`  agreed at PayPal; payment method ${method}`);

  chapter('Subscription');
  const subscriptionId = await subscribe(api, account, 'standard-monthly');
  await changePlan(api, account, subscriptionId, 'standard-pro');
  const plan = await api.until<{ planName: string; phaseType: string; state: string }>(
    `/1.0/kb/subscriptions/${subscriptionId}`,
    (s) => s.planName === 'standard-pro',
  );
  say(`  ${subscriptionId}: standard-monthly, changed to ${plan.planName}; ${plan.phaseType}, ${plan.state}`);

  chapter('After the trial of 30 days');
  await moveClock(api, new Date(start.getTime() + 30 * day + hour));
  (await invoicesOf(api, account)).forEach(printInvoice);

  chapter('Usage');
  await meterRules(api);
  const now = await timeOf(api);
  await useIt(api, account, now);
  await api.until<{ current: number }>(
    `/meter/limit/check/analytics?user=${encodeURIComponent(account.externalKey)}`,
    (check) => check.current >= 851,
  );
  await limits(api, account.externalKey);

  chapter('A month later');
  await moveClock(api, new Date(now.getTime() + 31 * day));
  (await invoicesOf(api, account)).slice(-1).forEach(printInvoice);
  const payments = (await api.expect(200, 'GET', `/1.0/kb/accounts/${account.accountId}/payments`)).json<
    readonly {
      paymentNumber: string;
      purchasedAmount: number;
      transactions: readonly { status: string; firstPaymentReferenceId: string | null }[];
    }[]
  >();
  for (const payment of payments)
    say(
      `  payment ${payment.paymentNumber}: ${usd(payment.purchasedAmount)} ${payment.transactions.at(-1)?.status} (PayPal ${payment.transactions.at(-1)?.firstPaymentReferenceId})`,
    );
  const balance = await api.until<{ accountBalance: number }>(
    `/1.0/kb/accounts/${account.accountId}?accountWithBalance=true`,
    (a) => a.accountBalance === 0,
  );
  say(`  balance ${usd(balance.accountBalance)}`);
  await limits(api, account.externalKey);
};

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
