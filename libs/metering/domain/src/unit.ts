import { type Instant, derivedId } from '@billstream/kernel';
import { type Decider, accept, defineSchema, reject } from '@billstream/event-sourcing';
import { type CountingMethod, type Rule, type RuleFault, faultsOf } from './rule';

/** A set of rules and the instant from which it counts; a bucket is counted by the version in force at its start (M13). */
export type RuleVersion = { readonly version: number; readonly effectiveAt: Instant; readonly rules: readonly Rule[] };

export type UnitEvent =
  | {
      readonly type: 'UnitDefined';
      readonly data: {
        readonly unitId: string;
        readonly name: string;
        readonly countingMethod: CountingMethod;
      } & RuleVersion;
    }
  | { readonly type: 'RulesReplaced'; readonly data: { readonly unitId: string; readonly name: string } & RuleVersion }
  /** The version counts on, so that a unit defined again under the same name never repeats one. */
  | {
      readonly type: 'UnitRemoved';
      readonly data: {
        readonly unitId: string;
        readonly name: string;
        readonly version: number;
        readonly effectiveAt: Instant;
      };
    };

export type UnitCommand =
  | {
      readonly type: 'DefineUnit';
      readonly unitId: string;
      readonly name: string;
      readonly countingMethod: CountingMethod;
      readonly rules: readonly Rule[];
      readonly at: Instant;
    }
  | {
      readonly type: 'ReplaceRules';
      readonly rules: readonly Rule[];
      readonly at: Instant;
      /** When they come into force; left out: now. The newest version of those in force is the one that counts. */
      readonly effectiveAt?: Instant;
      /** The number that the new version is to have, so that nobody overwrites what they have not seen. */
      readonly version?: number;
    }
  | { readonly type: 'RemoveUnit'; readonly at: Instant };

export type UnitRejection =
  | { readonly code: 'unit-exists'; readonly unitId: string }
  | { readonly code: 'unit-not-found' }
  /** `version` is the newest there is. */
  | { readonly code: 'version-taken'; readonly version: number }
  | { readonly code: 'rules-invalid'; readonly faults: readonly RuleFault[] };

export type UnitState =
  | { readonly status: 'NONE' }
  | { readonly status: 'REMOVED'; readonly version: number }
  | {
      readonly status: 'DEFINED';
      readonly unitId: string;
      readonly name: string;
      readonly countingMethod: CountingMethod;
      readonly current: RuleVersion;
    };

/** A unit's name is unique within its tenant, so its id and stream follow from both. */
export const unitIdOf = (tenantId: string, name: string): string => derivedId('meter-unit', tenantId, name);
export const unitStream = (unitId: string): string => `meterUnit-${unitId}`;

const define = (command: Extract<UnitCommand, { type: 'DefineUnit' }>, state: UnitState) => {
  if (state.status === 'DEFINED') return reject({ code: 'unit-exists', unitId: state.unitId } as const);
  const { unitId, name, countingMethod, rules, at } = command;
  const faults = faultsOf(rules, countingMethod);
  if (faults.length > 0) return reject({ code: 'rules-invalid', faults } as const);
  const version = state.status === 'REMOVED' ? state.version + 1 : 1;
  return accept<UnitEvent>({
    type: 'UnitDefined',
    data: { unitId, name, countingMethod, version, effectiveAt: at, rules },
  });
};

const replaceRules = (
  { rules, at, effectiveAt, version }: Extract<UnitCommand, { type: 'ReplaceRules' }>,
  state: Extract<UnitState, { status: 'DEFINED' }>,
) => {
  const faults = faultsOf(rules, state.countingMethod);
  if (faults.length > 0) return reject({ code: 'rules-invalid', faults } as const);
  const { unitId, name, current } = state;
  const isSame = JSON.stringify(rules) === JSON.stringify(current.rules);
  const isInForce = effectiveAt === undefined ? current.effectiveAt <= at : current.effectiveAt === effectiveAt;
  const isCurrent = version === undefined || version === current.version;
  if (isSame && isInForce && isCurrent) return accept<UnitEvent>();
  const next = current.version + 1;
  if (version !== undefined && version !== next)
    return reject({ code: 'version-taken', version: current.version } as const);
  return accept<UnitEvent>({
    type: 'RulesReplaced',
    data: { unitId, name, version: next, effectiveAt: effectiveAt ?? at, rules },
  });
};

export const unit: Decider<UnitCommand, UnitEvent, UnitState, UnitRejection> = {
  initial: { status: 'NONE' },
  decide: (command, state) => {
    if (command.type === 'DefineUnit') return define(command, state);
    if (state.status !== 'DEFINED') return reject({ code: 'unit-not-found' });
    if (command.type === 'ReplaceRules') return replaceRules(command, state);
    const { unitId, name, current } = state;
    return accept<UnitEvent>({
      type: 'UnitRemoved',
      data: { unitId, name, version: current.version + 1, effectiveAt: command.at },
    });
  },
  evolve: (state, event): UnitState => {
    switch (event.type) {
      case 'UnitDefined': {
        const { unitId, name, countingMethod, version, effectiveAt, rules } = event.data;
        return { status: 'DEFINED', unitId, name, countingMethod, current: { version, effectiveAt, rules } };
      }
      case 'RulesReplaced':
        return state.status === 'DEFINED' ? { ...state, current: event.data } : state;
      case 'UnitRemoved':
        return { status: 'REMOVED', version: event.data.version };
    }
  },
};

export const unitSchema = defineSchema<UnitEvent>({
  UnitDefined: 'meter-unit.defined.v1',
  RulesReplaced: 'meter-unit.rules-replaced.v1',
  UnitRemoved: 'meter-unit.removed.v1',
});
