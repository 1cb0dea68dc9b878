import { at, cancel, spec, start } from './bundle.fixtures';
import { type BundleState, evolve } from './bundle';
import type { BundleCommand } from './bundle.commands';
import { bundleDecider } from './bundle.decider';

const run = (...commands: readonly BundleCommand[]): BundleState =>
  commands.reduce<BundleState>((state, command) => {
    const outcome = bundleDecider.decide(command, state);
    if ('rejected' in outcome) throw new Error(`${command.type}: ${outcome.rejected.code}`);
    return outcome.events.reduce(evolve, state);
  }, null);

const undone = (state: BundleState): string => {
  const outcome = bundleDecider.decide(
    { type: 'UndoCancellation', data: { subscriptionId: 's1', now: at('2024-03-06') } },
    state,
  );
  return 'rejected' in outcome ? outcome.rejected.code : outcome.events.map(({ type }) => type).join();
};

describe('undoing a cancellation', () => {
  const begun = start([spec('s1', 'small')], at('2024-01-10'));
  it('goes as long as billing goes on, also when the service is over', () => {
    const state = run(begun, cancel('s1', at('2024-03-05'), { policy: 'IMMEDIATE' }, { at: at('2024-04-10') }));
    expect(undone(state)).toContain('CancellationUndone');
  });
  it('is refused when billing is over, or where none was asked for', () => {
    const over = run(begun, cancel('s1', at('2024-03-05'), { policy: 'IMMEDIATE' }, { policy: 'IMMEDIATE' }));
    expect(undone(over)).toBe('billing-already-cancelled');
    expect(undone(run(begun))).toBe('no-cancellation-pending');
  });
});
