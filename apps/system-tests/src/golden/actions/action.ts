import type { Step } from '../case-file';
import type { Stage } from '../stage';

/** Resolves when the server took it; throws a Refusal when it did not. Each action knows the shape of its arguments. */
export type Action<Args = never> = (stage: Stage, args: Args, step: Step) => Promise<void>;
