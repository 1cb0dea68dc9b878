/** One customer after the other, several side by side, through the public API, with the patience of a real client. */
import { type Client, Unexpected } from '../day/client';
import { type Account, addPayPal, changePlan, openAccount, subscribe } from '../day/day';

import { type Batch, type Script, type ScriptedAccount, usageDayAt } from './script';

export type Player = Account & { readonly scripted: ScriptedAccount; readonly subscriptionId: string };

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Does it again until it succeeds: for steps that other services must have heard of, which takes longer while they die. */
export const patiently = async <T>(what: string, deadlineMs: number, work: () => Promise<T>): Promise<T> => {
  const deadline = Date.now() + deadlineMs;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (Date.now() > deadline)
        throw new Error(`${what} did not succeed within ${String(deadlineMs / 1000)} s`, { cause: error });
      await pause(250);
    }
  }
};

export const inLanes = async <T, R>(
  lanes: number,
  of: readonly T[],
  work: (one: T) => Promise<R>,
): Promise<readonly R[]> => {
  const results: R[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let index = next; index < of.length; index = next) {
      next = index + 1;
      const one = of[index];
      if (one !== undefined) results[index] = await work(one);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return results;
};

const stepMs = 120_000;

type Told = { readonly what: string; readonly complain: (text: string) => void };

/**
 * Does a step until it is done. A client that repeats a request under the same key must be answered as the first time;
 * where it is refused instead although the step is done, that is worth a complaint, and the day goes on.
 */
const onceDone = <T>({ what, complain }: Told, work: () => Promise<T>, find: () => Promise<T | null>): Promise<T> =>
  patiently(what, stepMs, async () => {
    try {
      return await work();
    } catch (error) {
      const found = await find();
      if (found === null) throw error;
      complain(
        `${what} was done and is refused when asked again: ${error instanceof Error ? error.message : String(error)}`,
      );
      return found;
    }
  });

const hasMethod = async (client: Client, { accountId }: Account): Promise<boolean> => {
  const methods = await client.expect(200, 'GET', `/1.0/kb/accounts/${accountId}/paymentMethods`);
  return methods.json<readonly { isDefault: boolean }[]>().some(({ isDefault }) => isDefault);
};

type SubscriptionJson = { readonly subscriptionId: string; readonly planName: string };

const subscriptionOf = async (client: Client, { accountId }: Account): Promise<SubscriptionJson | null> => {
  const bundles = await client.expect(200, 'GET', `/1.0/kb/accounts/${accountId}/bundles`);
  return (
    bundles
      .json<readonly { subscriptions: readonly SubscriptionJson[] }[]>()
      .flatMap(({ subscriptions }) => subscriptions)[0] ?? null
  );
};

type Joining = { readonly emulatorUrl: string; readonly complain: (text: string) => void };

/** From nothing to a subscription on the scripted plan, still in its trial. */
export const join = async (
  client: Client,
  scripted: ScriptedAccount,
  { emulatorUrl, complain }: Joining,
): Promise<Player> => {
  const { externalKey, plan } = scripted;
  const account = await patiently(`opening ${externalKey}`, stepMs, () => openAccount(client, externalKey));
  await patiently(`PayPal of ${externalKey}`, stepMs, async () => {
    // An answer that was lost may have been a success, and a method with another token would be another method.
    if (!(await hasMethod(client, account))) await addPayPal(client, account, emulatorUrl);
  });
  const take = (what: string) =>
    onceDone(
      { what: `${what} ${externalKey}`, complain },
      () => subscribe(client, account, 'standard-monthly'),
      async () => (await subscriptionOf(client, account))?.subscriptionId ?? null,
    );
  const subscriptionId = await take('subscribing');
  if (scripted.isImpatient) {
    await openAccount(client, externalKey);
    const again = await take('subscribing again');
    if (again !== subscriptionId)
      complain(`${externalKey} has two subscriptions of one request: ${subscriptionId}, ${again}`);
  }
  if (plan !== 'standard-monthly')
    await onceDone<unknown>(
      { what: `changing ${externalKey}`, complain },
      () => changePlan(client, account, subscriptionId, plan),
      async () => ((await subscriptionOf(client, account))?.planName === plan ? plan : null),
    );
  return { ...account, scripted, subscriptionId };
};

type Recorded = { readonly accepted: number; readonly duplicates: number; readonly rejected: readonly unknown[] };

/** Sends a batch until its 202 has come; only then are its records accepted. */
const send = async (client: Client, { key, records, areNamed }: Batch): Promise<void> => {
  const body = records.map(({ id, unit, user, thousandths, atMs }) => ({
    unit,
    user,
    amount: thousandths / 1000,
    time: atMs,
    ...(areNamed ? { id } : {}),
  }));
  const answer = await patiently(`usage ${key}`, stepMs, () =>
    client.expect(202, 'POST', '/meter/record/json', { body, key }),
  );
  const { accepted, duplicates, rejected } = answer.json<Recorded>();
  if (rejected.length > 0 || accepted + duplicates !== records.length)
    throw new Unexpected(`usage ${key}: ${answer.text.slice(0, 600)}`);
};

/** One usage day for everybody; resolves when every batch was accepted. */
export const sendUsage = async (
  client: Client,
  script: Script,
  {
    players,
    month,
    dayIndex,
    lanes,
  }: { readonly players: readonly Player[]; readonly month: number; readonly dayIndex: number; readonly lanes: number },
): Promise<number> => {
  const sent = await inLanes(lanes, players, async ({ scripted }) => {
    const batches = script.usage(scripted, month, dayIndex);
    for (const batch of batches) await send(client, batch);
    return batches.reduce((sum, { records }) => sum + records.length, 0);
  });
  return sent.reduce((sum, count) => sum + count, 0);
};

/** Sets the tenant's clock and comes back when all that fell due on the way is done, however often that was interrupted. */
export const goTo = async (client: Client, atMs: number, deadlineMs: number): Promise<void> => {
  const to = encodeURIComponent(new Date(atMs).toISOString());
  await patiently(`the clock at ${new Date(atMs).toISOString()}`, deadlineMs, async () => {
    await client.expect(200, 'POST', `/1.0/kb/test/clock?requestedDate=${to}&timeoutSec=600`, { timeoutMs: 620_000 });
    const { currentUtcTime } = (await client.expect(200, 'GET', '/1.0/kb/test/clock')).json<{
      currentUtcTime: string;
    }>();
    if (Date.parse(currentUtcTime) < atMs) throw new Unexpected(`the clock stands at ${currentUtcTime}`);
    await client.expect(200, 'GET', '/1.0/kb/test/queues?timeoutSec=300', { timeoutMs: 320_000 });
  });
};

export const toUsageDay = (client: Client, month: number, dayIndex: number): Promise<void> =>
  goTo(client, usageDayAt(month, dayIndex), 600_000);
