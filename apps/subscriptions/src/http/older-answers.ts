import { apiMinorOf, requestContextOf } from '@billstream/http';
import { type AccountTime, type Instant, localDateOf, parseInstant } from '@billstream/kernel';
import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { from, mergeMap } from 'rxjs';

/** The first minor versions of Kill Bill that speak as we do (its SubscriptionJson and BlockingStateJson, tag by tag). */
const since = { flags: 20, subscriptionKey: 22, instants: 23 } as const;

type Json = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const flags = [
  ['isBlockChange', 'blockChange'],
  ['isBlockEntitlement', 'blockEntitlement'],
  ['isBlockBilling', 'blockBilling'],
] as const;
const dates = ['startDate', 'cancelledDate', 'billingStartDate', 'billingEndDate'];

type Times = ReadonlyMap<string, AccountTime>;

/** A date instead of an instant, of the account that the object or one around it belongs to. */
const dated = (fields: readonly string[], object: Json, time: AccountTime | undefined): Json =>
  Object.fromEntries(
    Object.entries(object).map(([field, value]) => {
      const at: Instant | null = fields.includes(field) && typeof value === 'string' ? parseInstant(value) : null;
      return [field, at === null || time === undefined ? value : localDateOf(at, time)];
    }),
  );

const olderObject = (object: Json, minor: number, time: AccountTime | undefined): Json => {
  const isSubscription = 'subscriptionId' in object && 'billingStartDate' in object;
  const isEvent = 'eventType' in object && 'serviceStateName' in object;
  let older = object;
  if (isSubscription && minor < since.subscriptionKey) {
    const { bundleExternalKey, ...rest } = older;
    older = { ...rest, externalKey: bundleExternalKey };
  }
  if (minor < since.instants) older = dated(isSubscription ? dates : isEvent ? ['effectiveDate'] : [], older, time);
  if (minor >= since.flags || !('isBlockChange' in older)) return older;
  const names = new Map<string, string>(flags);
  return Object.fromEntries(Object.entries(older).map(([field, value]) => [names.get(field) ?? field, value]));
};

/** Subscriptions, their events and blocking states as that version of Kill Bill showed them, however deep they are. */
const olderAnswer = (
  answer: unknown,
  minor: number,
  { times, time }: { times: Times; time?: AccountTime },
): unknown => {
  if (Array.isArray(answer))
    return answer.map((one: unknown) => olderAnswer(one, minor, { times, ...(time && { time }) }));
  if (!isObject(answer)) return answer;
  const own = typeof answer['accountId'] === 'string' ? times.get(answer['accountId']) : undefined;
  const at = own ?? time;
  const inner = Object.fromEntries(
    Object.entries(answer).map(([field, one]) => [field, olderAnswer(one, minor, { times, ...(at && { time: at }) })]),
  );
  return olderObject(inner, minor, at);
};

const accountsIn = (answer: unknown): readonly string[] => {
  if (Array.isArray(answer)) return answer.flatMap(accountsIn);
  if (!isObject(answer)) return [];
  const own = answer['accountId'];
  return [...(typeof own === 'string' ? [own] : []), ...Object.values(answer).flatMap(accountsIn)];
};

/** Before 0.22 a subscription's `externalKey` was its bundle's, in requests too. */
const olderRequest = (body: unknown): unknown => {
  if (Array.isArray(body)) return body.map(olderRequest);
  if (!isObject(body)) return body;
  const inner = 'baseEntitlementAndAddOns' in body;
  if (inner) return { ...body, baseEntitlementAndAddOns: olderRequest(body['baseEntitlementAndAddOns']) };
  const { externalKey, ...rest } = body;
  return { ...rest, bundleExternalKey: body['bundleExternalKey'] ?? externalKey };
};

const isCreation = ({ method, url }: FastifyRequest): boolean =>
  method === 'POST' && /^\/1\.0\/kb\/subscriptions(\/create\w+)?\/?(\?|$)/.test(url);

/** Answers, and takes what creates subscriptions, as the version of Kill Bill did that a client was written for. */
export const olderAnswers = (
  timeOf: (tenantId: string, accountId: string) => Promise<AccountTime | null>,
): NestInterceptor => ({
  intercept: (context: ExecutionContext, next: CallHandler) => {
    if (context.getType() !== 'http') return next.handle();
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const minor = apiMinorOf(request.headers);
    if (minor >= since.instants) return next.handle();
    const { tenantId } = requestContextOf(request);
    if (minor < since.subscriptionKey && isCreation(request)) request.body = olderRequest(request.body);
    return next.handle().pipe(
      mergeMap((answer: unknown) =>
        from(
          (async () => {
            const times = new Map<string, AccountTime>();
            for (const accountId of new Set(accountsIn(answer))) {
              const time = await timeOf(tenantId, accountId);
              if (time !== null) times.set(accountId, time);
            }
            return olderAnswer(answer, minor, { times });
          })(),
        ),
      ),
    );
  },
});
