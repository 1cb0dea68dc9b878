import { changeOf, type Store } from './emulator-store';
import { FAULT_EFFECTS, type Fault, type FaultEffect, type FaultPlan } from './fault-plan';
import { json, notFound, type Answer, type EmulatorRequest } from './http-answer';
import { checkInvariants } from './ledger-invariants';
import type { LedgerRow, MoneyLedger } from './money-ledger';
import type { ControlAction, Face } from './provider-face';
import type { RequestNote } from './provider-server';
import type { VirtualClock } from './virtual-clock';

export type ControlParts = {
  readonly store: Store;
  readonly ledger: MoneyLedger;
  readonly faults: FaultPlan;
  readonly clock: VirtualClock;
  readonly requests: () => readonly RequestNote[];
  readonly clearRequests: () => void;
  readonly faces: readonly Face[];
};

type Route = (input: Readonly<Record<string, unknown>>, query: URLSearchParams) => Answer;

/** The levers of a test. They live under their own path so that no provider URL ever leads to them. */
export const createControl = (parts: ControlParts) => {
  const routes = new Map<string, Route>([
    ['GET /control/ledger', (_, query) => json({ entries: ledgerView(parts.ledger, query) })],
    ['GET /control/invariants', () => invariants(parts.ledger)],
    ['GET /control/requests', () => json({ requests: parts.requests() })],
    ['GET /control/clock', () => json(clockView(parts.clock))],
    ['POST /control/clock', (input) => advance(parts, input)],
    ['GET /control/faults', () => json({ faults: parts.faults.list() })],
    ['POST /control/faults', (input) => planFault(parts, input)],
    ['DELETE /control/faults', () => clearFaults(parts)],
    ['POST /control/reset', () => reset(parts)],
    ...parts.faces.flatMap((face) =>
      Object.entries(face.actions).map(([name, action]): [string, ControlAction] => [
        `POST /control/${face.name}/${name}`,
        action,
      ]),
    ),
  ]);

  return (request: EmulatorRequest, origin: string | undefined): Answer => {
    // Only a browser sends Origin; a page the developer happens to visit must not move emulated money.
    if (origin !== undefined) return json({ error: 'no-browser-access' }, 403);
    const route = routes.get(`${request.method} ${request.path}`);
    if (!route) return notFound();
    const input = parseObject(request.body);
    return input ? route(input, request.query) : json({ error: 'body-not-a-json-object' }, 400);
  };
};

const parseObject = (body: string): Readonly<Record<string, unknown>> | undefined => {
  if (body.trim() === '') return {};
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : undefined;
  } catch {
    return undefined;
  }
};

const ledgerView = (ledger: MoneyLedger, query: URLSearchParams): readonly unknown[] => {
  const filters = ['provider', 'kind', 'transactionId', 'referenceId', 'invoiceRef', 'operationKey', 'status'] as const;
  return ledger
    .rows()
    .filter((row) => filters.every((name) => !query.has(name) || query.get(name) === row[name]))
    .map(rowView);
};

const rowView = ({ minor, minorDigits, feeMinor, ...row }: LedgerRow): unknown => ({
  ...row,
  amount: decimal(minor, minorDigits),
  fee: decimal(feeMinor, minorDigits),
});

export const decimal = (minor: number, digits: number): string => {
  const text = String(Math.abs(minor)).padStart(digits + 1, '0');
  const whole = text.slice(0, text.length - digits);
  return `${minor < 0 ? '-' : ''}${whole}${digits > 0 ? `.${text.slice(-digits)}` : ''}`;
};

const invariants = (ledger: MoneyLedger): Answer => {
  const violations = checkInvariants(ledger);
  return json({ ok: violations.length === 0, violations });
};

const clockView = (clock: VirtualClock): { now: string } => ({ now: new Date(clock.now()).toISOString() });

const advance = ({ store, clock }: ControlParts, { advanceSeconds }: Readonly<Record<string, unknown>>): Answer => {
  if (typeof advanceSeconds !== 'number' || !(advanceSeconds >= 0))
    return json({ error: 'advanceSeconds-required' }, 400);
  store.commit(changeOf(clock, { advanceMs: Math.round(advanceSeconds * 1000) }));
  return json(clockView(clock));
};

const planFault = ({ store, faults }: ControlParts, input: Readonly<Record<string, unknown>>): Answer => {
  const { effect } = input;
  if (!isEffect(effect)) return json({ error: 'effect-unknown', effects: FAULT_EFFECTS }, 400);
  const fault: Fault = {
    id: faults.nextId(),
    effect,
    skip: count(input['skip'], 0),
    times: count(input['times'], 1),
    ...texts(input, ['provider', 'operation', 'invoiceRef', 'credential', 'code']),
    ...(typeof input['delayMs'] === 'number' ? { delayMs: count(input['delayMs'], 0) } : {}),
  };
  store.commit(changeOf(faults, { type: 'planned', fault }));
  return json(fault, 201);
};

const isEffect = (value: unknown): value is FaultEffect => FAULT_EFFECTS.some((effect) => effect === value);

const count = (value: unknown, otherwise: number): number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : otherwise;

const texts = (input: Readonly<Record<string, unknown>>, names: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    names.flatMap((name): [string, string][] => {
      const value = input[name];
      return typeof value === 'string' || typeof value === 'number' ? [[name, String(value)]] : [];
    }),
  );

const clearFaults = ({ store, faults }: ControlParts): Answer => {
  store.commit(changeOf(faults, { type: 'cleared' }));
  return json({ faults: [] });
};

const reset = ({ store, clearRequests }: ControlParts): Answer => {
  store.reset();
  clearRequests();
  return json({ reset: true });
};
