import type { Part } from './emulator-store';

/** `-before`: the provider never acted. The others act first and then break the answer, which is the dangerous case. */
export const FAULT_EFFECTS = [
  'fail',
  'decline',
  'pending',
  'delay',
  'duplicate',
  'timeout',
  'timeout-before',
  'error-500',
  'error-500-before',
  'reset',
  'reset-before',
  'rate-limit',
] as const;

export type FaultEffect = (typeof FAULT_EFFECTS)[number];

export type Fault = {
  readonly id: number;
  readonly effect: FaultEffect;
  readonly provider?: string;
  readonly operation?: string;
  readonly invoiceRef?: string;
  readonly credential?: string;
  /** How many matching requests pass unharmed first. */
  readonly skip: number;
  readonly times: number;
  /** The provider's own error code, for `fail` and `decline`. */
  readonly code?: string;
  readonly delayMs?: number;
};

export type FaultTarget = {
  readonly provider: string;
  readonly operation: string;
  readonly invoiceRef?: string | undefined;
  readonly credential?: string | undefined;
};

export type FaultChange =
  | { readonly type: 'planned'; readonly fault: Fault }
  | { readonly type: 'met'; readonly id: number }
  | { readonly type: 'cleared' };

export type FaultPlan = Part<FaultChange> & {
  list(): readonly Fault[];
  nextId(): number;
  match(target: FaultTarget): Fault | undefined;
};

const CRITERIA = ['provider', 'operation', 'invoiceRef', 'credential'] as const;

export const createFaultPlan = (): FaultPlan => {
  const faults = new Map<number, Fault>();
  let lastId = 0;

  const meet = (id: number): void => {
    const fault = faults.get(id);
    if (!fault) return;
    if (fault.skip > 0) faults.set(id, { ...fault, skip: fault.skip - 1 });
    else if (fault.times > 1) faults.set(id, { ...fault, times: fault.times - 1 });
    else faults.delete(id);
  };

  return {
    name: 'faults',
    apply: (change) => {
      switch (change.type) {
        case 'planned':
          lastId = Math.max(lastId, change.fault.id);
          faults.set(change.fault.id, change.fault);
          return;
        case 'met': {
          meet(change.id);
          return;
        }
        case 'cleared':
          faults.clear();
      }
    },
    reset: () => faults.clear(),
    list: () => [...faults.values()],
    nextId: () => lastId + 1,
    match: (target) =>
      [...faults.values()].find((fault) =>
        CRITERIA.every((name) => fault[name] === undefined || fault[name] === target[name]),
      ),
  };
};
