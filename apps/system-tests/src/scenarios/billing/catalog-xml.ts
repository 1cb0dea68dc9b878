/** Kill Bill's catalog XML for a scenario: its plans, and what a change and a cancellation mean in it. */
export type ScenarioPlan = {
  /** `<product>-<anything>`: a product of its own for each name before the dash. */
  readonly name: string;
  readonly price: string;
  readonly trialDays?: number;
  /** Consumed units, billed monthly in arrear: price a block of that size. */
  readonly usage?: readonly { readonly unit: string; readonly size: number; readonly price: string }[];
};

export type ScenarioCatalog = {
  readonly plans: readonly ScenarioPlan[];
  readonly changePolicy: 'IMMEDIATE' | 'END_OF_TERM';
  readonly cancelPolicy: 'IMMEDIATE' | 'END_OF_TERM';
};

const productOf = ({ name }: ScenarioPlan): string => name.split('-')[0] ?? name;
const priceOf = (value: string): string => `<price><currency>USD</currency><value>${value}</value></price>`;
const unitsOf = (plans: readonly ScenarioPlan[]): readonly string[] => [
  ...new Set(plans.flatMap(({ usage = [] }) => usage.map(({ unit }) => unit))),
];

const usageXml = ({ name, usage = [] }: ScenarioPlan): string =>
  usage
    .map(
      ({ unit, size, price }) => `<usage name="${name}-${unit}" billingMode="IN_ARREAR" usageType="CONSUMABLE">
        <billingPeriod>MONTHLY</billingPeriod>
        <tiers><tier><blocks><tieredBlock><unit>${unit}</unit><size>${String(size)}</size><prices>${priceOf(price)}</prices><max>-1</max></tieredBlock></blocks></tier></tiers>
      </usage>`,
    )
    .join('');

const planXml = (plan: ScenarioPlan): string => {
  const trial = `<initialPhases><phase type="TRIAL"><duration><unit>DAYS</unit><number>${String(plan.trialDays ?? 0)}</number></duration><fixed><fixedPrice></fixedPrice></fixed></phase></initialPhases>`;
  return `<plan name="${plan.name}"><product>${productOf(plan)}</product>${plan.trialDays === undefined ? '' : trial}
    <finalPhase type="EVERGREEN"><duration><unit>UNLIMITED</unit></duration>
      <recurring><billingPeriod>MONTHLY</billingPeriod><recurringPrice>${priceOf(plan.price)}</recurringPrice></recurring>
      <usages>${usageXml(plan)}</usages>
    </finalPhase></plan>`;
};

export const catalogXml = ({
  plans,
  changePolicy,
  cancelPolicy,
}: ScenarioCatalog): string => `<?xml version="1.0" encoding="UTF-8"?>
<catalog>
  <effectiveDate>2013-02-08T00:00:00+00:00</effectiveDate>
  <catalogName>Scenario</catalogName>
  <recurringBillingMode>IN_ADVANCE</recurringBillingMode>
  <currencies><currency>USD</currency></currencies>
  <units>${unitsOf(plans)
    .map((unit) => `<unit name="${unit}"/>`)
    .join('')}</units>
  <products>${[...new Set(plans.map(productOf))].map((product) => `<product name="${product}"><category>BASE</category></product>`).join('')}</products>
  <rules>
    <changePolicy><changePolicyCase><policy>${changePolicy}</policy></changePolicyCase></changePolicy>
    <changeAlignment><changeAlignmentCase><alignment>START_OF_BUNDLE</alignment></changeAlignmentCase></changeAlignment>
    <cancelPolicy><cancelPolicyCase><policy>${cancelPolicy}</policy></cancelPolicyCase></cancelPolicy>
    <createAlignment><createAlignmentCase><alignment>START_OF_BUNDLE</alignment></createAlignmentCase></createAlignment>
    <billingAlignment><billingAlignmentCase><alignment>ACCOUNT</alignment></billingAlignmentCase></billingAlignment>
    <priceList><priceListCase><toPriceList>DEFAULT</toPriceList></priceListCase></priceList>
  </rules>
  <plans>${plans.map(planXml).join('')}</plans>
  <priceLists><defaultPriceList name="DEFAULT"><plans>${plans.map(({ name }) => `<plan>${name}</plan>`).join('')}</plans></defaultPriceList></priceLists>
</catalog>`;
