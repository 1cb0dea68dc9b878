import type { ControlTag } from '@billstream/accounts-contracts';
import {
  type OverdueCondition,
  type OverdueConfig,
  type OverdueInterval,
  type OverdueStateDefinition,
  cancellationPolicies,
  overdueConfigErrors,
  paymentResponses,
} from '@billstream/invoicing-domain';
import { type DurationUnit, parseDecimal } from '@billstream/kernel';
import { type XmlElement, child, childText, parseXml } from '@billstream/xml';

/** Thrown and caught within this file: what a document says cannot be read, with the element's path. */
class Unreadable extends Error {}

export const controlTags = [
  'AUTO_PAY_OFF',
  'AUTO_INVOICING_OFF',
  'OVERDUE_ENFORCEMENT_OFF',
  'WRITTEN_OFF',
  'MANUAL_PAY',
  'TEST',
  'PARTNER',
  'AUTO_INVOICING_DRAFT',
  'AUTO_INVOICING_REUSE_DRAFT',
] as const satisfies readonly ControlTag[];
export const intervalUnits = ['DAYS', 'WEEKS', 'MONTHS', 'YEARS'] as const satisfies readonly DurationUnit[];

const onlyKnown = (element: XmlElement, known: readonly string[], where: string): void => {
  const strange = element.children.find(({ name }) => !known.includes(name));
  if (strange !== undefined) throw new Unreadable(`${where}/${strange.name}: there is no such element`);
};

const oneOf = <T extends string>(allowed: readonly T[], text: string, where: string): T => {
  const found = allowed.find((one) => one === text);
  if (found === undefined) throw new Unreadable(`${where}: ${text} is not one of ${allowed.join(', ')}`);
  return found;
};

const optionalOneOf = <T extends string>(
  allowed: readonly T[],
  element: XmlElement,
  name: string,
  where: string,
): T | null => {
  const text = childText(element, name);
  return text === null ? null : oneOf(allowed, text, `${where}/${name}`);
};

const flag = (element: XmlElement, name: string, where: string): boolean =>
  optionalOneOf(['true', 'false'], element, name, where) === 'true';

const whole = (text: string, where: string): number => {
  if (!/^\d{1,9}$/.test(text)) throw new Unreadable(`${where}: ${text} is not a whole number`);
  return Number(text);
};

const intervalIn = (element: XmlElement, name: string, where: string): OverdueInterval | null => {
  const interval = child(element, name);
  if (interval === null) return null;
  const path = `${where}/${name}`;
  onlyKnown(interval, ['unit', 'number'], path);
  const unit = optionalOneOf(intervalUnits, interval, 'unit', path);
  const number = childText(interval, 'number');
  if (unit === null || number === null) throw new Unreadable(`${path}: unit and number are needed`);
  return { unit, number: whole(number, `${path}/number`) };
};

const countName = 'numberOfUnpaidInvoicesEqualsOrExceeds';
const balanceName = 'totalUnpaidInvoiceBalanceEqualsOrExceeds';
const timeName = 'timeSinceEarliestUnpaidInvoiceEqualsOrExceeds';
const responsesName = 'responseForLastFailedPaymentIn';

const conditionIn = (state: XmlElement, where: string): OverdueCondition | null => {
  const condition = child(state, 'condition');
  if (condition === null) return null;
  const path = `${where}/condition`;
  onlyKnown(
    condition,
    [countName, balanceName, timeName, responsesName, 'controlTagInclusion', 'controlTagExclusion'],
    path,
  );
  const count = childText(condition, countName);
  const balance = childText(condition, balanceName);
  const unpaidBalance = balance === null ? null : parseDecimal(balance);
  if (balance !== null && unpaidBalance === null)
    throw new Unreadable(`${path}/${balanceName}: ${balance} is not an amount`);
  return {
    unpaidInvoices: count === null ? null : whole(count, `${path}/${countName}`),
    unpaidBalance,
    timeSinceEarliest: intervalIn(condition, timeName, path),
    failedPaymentResponses: (child(condition, responsesName)?.children ?? []).map(({ text }) =>
      oneOf(paymentResponses, text, `${path}/${responsesName}`),
    ),
    withTag: optionalOneOf(controlTags, condition, 'controlTagInclusion', path),
    withoutTag: optionalOneOf(controlTags, condition, 'controlTagExclusion', path),
  };
};

/** `enterStateEmailNotification` stands in documents written for Kill Bill before 0.20, which sent mails; nobody sends them now. */
const stateElements = [
  'condition',
  'externalMessage',
  'blockChanges',
  'disableEntitlementAndChangesBlocked',
  'subscriptionCancellationPolicy',
  'isClearState',
  'autoReevaluationInterval',
  'enterStateEmailNotification',
];

const stateFrom = (element: XmlElement, index: number): OverdueStateDefinition => {
  const name = element.attributes['name'] ?? '';
  const where = `accountOverdueStates/state[${index}]${name === '' ? '' : ` (${name})`}`;
  onlyKnown(element, stateElements, where);
  return {
    name,
    isClear: flag(element, 'isClearState', where),
    condition: conditionIn(element, where),
    externalMessage: childText(element, 'externalMessage'),
    blockChanges: flag(element, 'blockChanges', where),
    disableEntitlement: flag(element, 'disableEntitlementAndChangesBlocked', where),
    cancellationPolicy: optionalOneOf(cancellationPolicies, element, 'subscriptionCancellationPolicy', where) ?? 'NONE',
    autoReevaluationInterval: intervalIn(element, 'autoReevaluationInterval', where),
  };
};

const configFrom = (root: XmlElement): OverdueConfig => {
  if (root.name !== 'overdueConfig') throw new Unreadable(`${root.name}: the root element must be overdueConfig`);
  onlyKnown(root, ['accountOverdueStates'], 'overdueConfig');
  const states = child(root, 'accountOverdueStates');
  if (states === null) throw new Unreadable('accountOverdueStates: the element is missing');
  onlyKnown(states, ['initialReevaluationInterval', 'state'], 'accountOverdueStates');
  return {
    initialReevaluationInterval: intervalIn(states, 'initialReevaluationInterval', 'accountOverdueStates'),
    states: states.children.filter(({ name }) => name === 'state').map(stateFrom),
  };
};

/** Kill Bill's overdue XML, or what is wrong with it: the first thing that cannot be read, or all that contradicts itself. */
export const readOverdueXml = (text: string): { readonly config: OverdueConfig } | { readonly error: string } => {
  const parsed = parseXml(text);
  if ('error' in parsed) return parsed;
  try {
    const config = configFrom(parsed.root);
    const errors = overdueConfigErrors(config);
    return errors.length === 0 ? { config } : { error: errors.join('; ') };
  } catch (error) {
    if (error instanceof Unreadable) return { error: error.message };
    throw error;
  }
};
