import { type XmlElement, xmlText } from './xml-text';

type Interval = { readonly unit: string; readonly number: number };
type State = {
  readonly name: string;
  readonly condition: XmlElement;
  readonly blockChanges: boolean;
  readonly disableEntitlementAndChangesBlocked: boolean;
  readonly subscriptionCancellationPolicy?: string;
  readonly autoReevaluationInterval?: Interval;
};
/** The most severe state first, as Kill Bill wants them. */
export type GoldenOverdue = { readonly initialReevaluationInterval: Interval; readonly states: readonly State[] };

/** Kill Bill's overdue XML; the fields of a state in the order of its schema. */
export const overdueDocument = ({ initialReevaluationInterval, states }: GoldenOverdue): string => {
  const state = states.map((one) => ({
    '@name': one.name,
    condition: one.condition,
    externalMessage: `Reached ${one.name}`,
    blockChanges: one.blockChanges,
    disableEntitlementAndChangesBlocked: one.disableEntitlementAndChangesBlocked,
    ...(one.subscriptionCancellationPolicy === undefined
      ? {}
      : { subscriptionCancellationPolicy: one.subscriptionCancellationPolicy }),
    ...(one.autoReevaluationInterval === undefined ? {} : { autoReevaluationInterval: one.autoReevaluationInterval }),
  }));
  return xmlText({ overdueConfig: { accountOverdueStates: { initialReevaluationInterval, state } } });
};
