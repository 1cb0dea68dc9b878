import type { Figure } from '../case-file';
import { type Stage, categoryOf, usageNamed } from '../stage';

export type PriceOverride = {
  readonly phaseName: string;
  readonly fixedPrice?: Figure;
  readonly recurringPrice?: Figure;
  readonly usages?: readonly {
    readonly name: string;
    readonly tiers: readonly {
      readonly blocks: readonly {
        readonly unit: string;
        readonly size: Figure;
        readonly price: Figure;
        readonly max: Figure;
      }[];
    }[];
  }[];
};

/** `plan` is always the plan it comes to; product, period and list stand beside it where the source chose by those. */
export type PlanChoice = {
  readonly plan?: string;
  readonly product?: string;
  readonly billingPeriod?: string;
  readonly priceList?: string;
  readonly phase?: string;
  readonly priceOverrides?: readonly PriceOverride[];
};

export const amount = (figure: Figure | undefined): number | undefined =>
  figure === undefined ? undefined : Number(figure);

/** Chosen as the source chose: a product without such a plan is refused otherwise than an unknown plan. */
export const chosenPlan = (stage: Stage, choice: PlanChoice) =>
  choice.product === undefined
    ? { planName: choice.plan, phaseType: choice.phase }
    : {
        productName: choice.product,
        productCategory: categoryOf(stage, choice.product) ?? 'BASE',
        billingPeriod: choice.billingPeriod,
        priceList: choice.priceList ?? 'DEFAULT',
        phaseType: choice.phase,
      };

export const overridesOf = (stage: Stage, overrides: readonly PriceOverride[] | undefined) =>
  overrides?.map(({ phaseName, fixedPrice, recurringPrice, usages }) => ({
    phaseName,
    fixedPrice: amount(fixedPrice),
    recurringPrice: amount(recurringPrice),
    usagePrices: usages?.map(({ name, tiers }) => {
      const { usageType, billingMode, tierBlockPolicy } = usageNamed(stage, name) ?? {};
      const tierPrices = tiers.map(({ blocks }) => ({
        blockPrices: blocks.map(({ unit, size, price, max }) => ({
          unitName: unit,
          size: amount(size),
          price: amount(price),
          max: amount(max),
        })),
      }));
      return { usageName: name, usageType, billingMode, tierBlockPolicy, tierPrices };
    }),
  }));
