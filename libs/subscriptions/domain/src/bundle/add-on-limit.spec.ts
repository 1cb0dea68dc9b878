import type { Catalog } from '../catalog/catalog';
import { type BundleState, evolve } from './bundle';
import type { BundleCommand } from './bundle.commands';
import { bundleDecider } from './bundle.decider';
import { at, cancel, catalogWith, change, spec, start } from './bundle.fixtures';

/** A bundle may hold two of the plan `laser`. */
const catalog: Catalog = catalogWith().map((version) => ({
  ...version,
  plans: version.plans.map((plan) => (plan.name === 'laser' ? { ...plan, plansAllowedInBundle: 2 } : plan)),
}));

const now = at('2024-01-10');
const run = (...commands: readonly BundleCommand[]): BundleState =>
  commands.reduce<BundleState>((state, command) => {
    const outcome = bundleDecider.decide(command, state);
    if ('rejected' in outcome) throw new Error(`${command.type}: ${outcome.rejected.code}`);
    return outcome.events.reduce(evolve, state);
  }, null);
const answer = (state: BundleState, command: BundleCommand): string => {
  const outcome = bundleDecider.decide(command, state);
  return 'rejected' in outcome ? outcome.rejected.code : 'accepted';
};

const full = start([spec('s1', 'small'), spec('s2', 'laser'), spec('s3', 'laser'), spec('s4', 'scope')], now, {
  catalog,
});
const later = at('2024-01-20');

describe('an add-on plan that the bundle holds as often as it may', () => {
  it('is refused to another subscription and to one that would change to it', () => {
    const state = run(full);
    expect(answer(state, start([spec('s5', 'laser')], later, { catalog }))).toBe('add-on-limit-reached');
    expect(answer(state, change('s4', 'laser', later, { catalog, policy: 'IMMEDIATE' }))).toBe('add-on-limit-reached');
  });

  it('is no hindrance to what has it already, nor once one of them has ended', () => {
    const state = run(full);
    expect(answer(state, change('s3', 'laser', later, { catalog, policy: 'IMMEDIATE' }))).toBe('accepted');
    const freed = run(full, cancel('s2', later, { policy: 'IMMEDIATE' }, { policy: 'IMMEDIATE' }));
    expect(answer(freed, change('s4', 'laser', at('2024-01-21'), { catalog, policy: 'IMMEDIATE' }))).toBe('accepted');
  });
});
