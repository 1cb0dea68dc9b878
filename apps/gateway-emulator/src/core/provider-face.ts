import type { Answer, EmulatorRequest } from './http-answer';

/** What a planned fault makes the provider itself say; network faults are played outside it. */
export type Forced = { readonly effect: 'fail' | 'decline' | 'pending' | 'rate-limit'; readonly code?: string };

/** One API call, read but not yet executed, so that faults can act before, after, or twice. */
export type ProviderCall = {
  readonly operation: string;
  readonly invoiceRef?: string | undefined;
  readonly credential?: string | undefined;
  readonly operationKey?: string | undefined;
  /** While a call with this key runs, a second one gets `inProgress`. */
  readonly lock?: string | undefined;
  readonly run: (forced?: Forced) => Answer;
  readonly inProgress: () => Answer;
};

export type ControlAction = (input: Readonly<Record<string, unknown>>) => Answer;

/** A payment provider as seen from outside: its API, the pages its payers see, and levers for tests. */
export type Face = {
  readonly name: string;
  readonly owns: (path: string) => boolean;
  readonly page: (request: EmulatorRequest) => Answer | undefined;
  readonly call: (request: EmulatorRequest) => ProviderCall | undefined;
  readonly actions: Readonly<Record<string, ControlAction>>;
};
