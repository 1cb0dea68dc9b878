import type {
  OverdueCondition,
  OverdueConfig,
  OverdueInterval,
  OverdueStateDefinition,
} from '@billstream/invoicing-domain';
import { optionalXmlElement as optional, xmlDocument, xmlElement as element } from '@billstream/xml';

const interval = (name: string, value: OverdueInterval | null): string | null =>
  value === null ? null : element(name, [element('unit', value.unit), element('number', String(value.number))]);

const condition = (value: OverdueCondition): string => {
  const { unpaidInvoices, unpaidBalance, timeSinceEarliest, failedPaymentResponses, withTag, withoutTag } = value;
  return element('condition', [
    optional('numberOfUnpaidInvoicesEqualsOrExceeds', unpaidInvoices === null ? null : String(unpaidInvoices)),
    optional('totalUnpaidInvoiceBalanceEqualsOrExceeds', unpaidBalance),
    interval('timeSinceEarliestUnpaidInvoiceEqualsOrExceeds', timeSinceEarliest),
    failedPaymentResponses.length === 0
      ? null
      : element(
          'responseForLastFailedPaymentIn',
          failedPaymentResponses.map((response) => element('response', response)),
        ),
    optional('controlTagInclusion', withTag),
    optional('controlTagExclusion', withoutTag),
  ]);
};

const state = (value: OverdueStateDefinition): string =>
  element(
    'state',
    [
      value.condition === null ? null : condition(value.condition),
      optional('externalMessage', value.externalMessage),
      element('blockChanges', String(value.blockChanges)),
      element('disableEntitlementAndChangesBlocked', String(value.disableEntitlement)),
      element('subscriptionCancellationPolicy', value.cancellationPolicy),
      element('isClearState', String(value.isClear)),
      interval('autoReevaluationInterval', value.autoReevaluationInterval),
    ],
    { name: value.name },
  );

/** As Kill Bill's overdue XML; reading it again gives the same states. */
export const writeOverdueXml = ({ initialReevaluationInterval, states }: OverdueConfig): string =>
  xmlDocument(
    element('overdueConfig', [
      element('accountOverdueStates', [
        interval('initialReevaluationInterval', initialReevaluationInterval),
        ...states.map(state),
      ]),
    ]),
  );
