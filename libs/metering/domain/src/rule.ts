import { type Decimal, isNegative } from '@billstream/kernel';

export type CountingMethod = 'SUM' | 'AVG' | 'PEAK';
export type Interval = 'HOUR' | 'DAY' | 'SUBSCRIPTION_CYCLE';
/** `MANUAL`: only a counter set by hand begins anew. */
export type RefreshInterval = Interval | 'MANUAL';

/** How a unit is counted for whom, in the words of the original's rule editor. One rule per unit has no plan: the default rule. */
export type Rule = {
  /** True: for users who hold `basePlan` (and `addonPlan`, if given). False: the default rule. */
  readonly applyPlan: boolean;
  readonly basePlan: string | null;
  readonly addonPlan: string | null;
  /** AVG and PEAK: whether each hour's or each day's value is charged. SUM: null. */
  readonly periodSplitting: Interval | null;
  readonly limitAmount: Decimal | null;
  /** SUM: when the running sum starts again. AVG and PEAK: null, a lower sample releases. */
  readonly limitRefreshInterval: RefreshInterval | null;
  readonly freeAmount: Decimal | null;
  readonly freePeriod: Interval | null;
  /** AVG and PEAK: hours without samples between two hours with samples get the mean of those two. */
  readonly putEmptyPeriod: boolean;
  /** `PREVIOUS` is what the original did; only asked for by who moves from it. */
  readonly gapPolicy: 'INTERPOLATE_NEIGHBOURS' | 'PREVIOUS';
  /** Longer gaps stay empty (M6). */
  readonly maxGapHours: number;
  /** Applied once to each splitting bucket. */
  readonly rounding: 'NONE' | 'CEIL' | 'HALF_EVEN';
  /** SUM windows follow the clock of the account's zone, or begin at the first use as in the original (M3). */
  readonly windowAnchor: 'CLOCK' | 'FIRST_USE';
};

export const defaultRule = (method: CountingMethod): Rule => ({
  applyPlan: false,
  basePlan: null,
  addonPlan: null,
  periodSplitting: method === 'SUM' ? null : 'HOUR',
  limitAmount: null,
  limitRefreshInterval: null,
  freeAmount: null,
  freePeriod: null,
  putEmptyPeriod: false,
  gapPolicy: 'INTERPOLATE_NEIGHBOURS',
  maxGapHours: 24,
  rounding: 'NONE',
  windowAnchor: 'CLOCK',
});

export type RuleFault = { readonly pointer: string; readonly code: string; readonly message: string };

/** The guide's rules V1 to V5 (and amounts that make sense); every fault at once, pointers into the list of rules. */
export const faultsOf = (rules: readonly Rule[], method: CountingMethod): readonly RuleFault[] => {
  const defaults = rules.flatMap((rule, index) => (rule.applyPlan ? [] : [index]));
  const extra = defaults.slice(1).map((index) => ({
    pointer: `/rules/${index}/applyPlan`,
    code: 'default-rule-exists',
    message: 'a unit has at most one rule without a plan',
  }));
  return [
    ...extra,
    ...rules.flatMap((rule, index) =>
      faultsOfRule(rule, method).map((fault) => ({ ...fault, pointer: `/rules/${index}/${fault.pointer}` })),
    ),
  ];
};

type Check = readonly [failed: boolean, field: keyof Rule, code: string, message: string];

const faultsOfRule = (rule: Rule, method: CountingMethod): readonly RuleFault[] =>
  [...planChecks(rule), ...amountChecks(rule), ...(method === 'SUM' ? sumChecks(rule) : gaugeChecks(rule))]
    .filter(([failed]) => failed)
    .map(([, pointer, code, message]) => ({ pointer, code, message }));

const planChecks = (rule: Rule): readonly Check[] => [
  [rule.applyPlan && rule.basePlan === null, 'basePlan', 'required', 'a rule for paying users names its base plan'],
  [!rule.applyPlan && rule.basePlan !== null, 'basePlan', 'not-allowed', 'the default rule has no plan'],
  [
    rule.addonPlan !== null && rule.basePlan === null,
    'addonPlan',
    'needs-base-plan',
    'an add-on plan needs its base plan',
  ],
];
const amountChecks = (rule: Rule): readonly Check[] => [
  [rule.limitAmount !== null && isNegative(rule.limitAmount), 'limitAmount', 'negative', 'a limit is not negative'],
  [rule.freeAmount !== null && isNegative(rule.freeAmount), 'freeAmount', 'negative', 'a free amount is not negative'],
  [rule.freeAmount !== null && rule.freePeriod === null, 'freePeriod', 'required', 'a free amount needs its period'],
  [rule.freeAmount === null && rule.freePeriod !== null, 'freeAmount', 'required', 'a free period needs its amount'],
  [rule.maxGapHours < 0, 'maxGapHours', 'negative', 'a gap is not negative'],
];
const sumChecks = (rule: Rule): readonly Check[] => [
  [rule.periodSplitting !== null, 'periodSplitting', 'not-allowed', 'SUM has no aggregation period'],
  [
    rule.limitAmount !== null && rule.limitRefreshInterval === null,
    'limitRefreshInterval',
    'required',
    'a limit of a SUM unit needs its reset interval',
  ],
  [rule.putEmptyPeriod, 'putEmptyPeriod', 'not-allowed', 'only AVG and PEAK fill gaps'],
];
const gaugeChecks = (rule: Rule): readonly Check[] => [
  [rule.periodSplitting === null, 'periodSplitting', 'required', 'AVG and PEAK need an aggregation period'],
  [
    rule.freePeriod !== null && rule.freePeriod !== rule.periodSplitting,
    'freePeriod',
    'differs-from-aggregation-period',
    'the free period equals the aggregation period',
  ],
  [
    rule.limitRefreshInterval !== null,
    'limitRefreshInterval',
    'not-allowed',
    'AVG and PEAK limits have no reset interval',
  ],
];

/** What a user holds at an instant, as far as rules ask. */
export type HeldPlan = {
  readonly subscriptionId: string;
  readonly planName: string;
  readonly category: 'BASE' | 'ADD_ON' | 'STANDALONE';
};

/**
 * The rule for a user and the subscription its usage belongs to: rules with a plan in their order, the first whose plans
 * the user holds; a rule with an add-on counts for the add-on's subscription; else the default rule, and no subscription.
 */
export const chooseRule = (
  rules: readonly Rule[],
  held: readonly HeldPlan[],
): { readonly rule: Rule | null; readonly subscriptionId: string | null } => {
  for (const rule of rules.filter(({ applyPlan }) => applyPlan)) {
    const base = held.find(({ planName, category }) => category !== 'ADD_ON' && planName === rule.basePlan);
    if (!base) continue;
    if (rule.addonPlan === null) return { rule, subscriptionId: base.subscriptionId };
    const addon = held.find(({ planName, category }) => category === 'ADD_ON' && planName === rule.addonPlan);
    if (addon) return { rule, subscriptionId: addon.subscriptionId };
  }
  return { rule: rules.find(({ applyPlan }) => !applyPlan) ?? null, subscriptionId: null };
};
