import {
  type AccountTime,
  type Instant,
  instantOf,
  parseDecimal,
  parseInstant,
  parseLocalDate,
} from '@billstream/kernel';
import type { BillingPeriod, PhaseType } from '@billstream/subscriptions-contracts';
import {
  type BillingPolicy,
  type PlanSpecifier,
  type PriceOverride,
  billingPolicies,
  parseBillingPeriod,
  phaseTypes,
} from '@billstream/subscriptions-domain';
import { Type } from 'class-transformer';
import { IsArray, IsIn, IsInt, IsOptional, IsString, Max, Min, ValidateNested } from 'class-validator';
import { invalidValue } from './problems';

class BlockPriceRequest {
  @IsString() readonly unitName!: string;
  @IsOptional() readonly size?: unknown;
  @IsOptional() readonly price?: unknown;
  @IsOptional() readonly max?: unknown;
}

class TierPriceRequest {
  @IsOptional() @IsArray() @ValidateNested({ each: true }) @Type(() => BlockPriceRequest) readonly blockPrices?:
    BlockPriceRequest[] | null;
  /** Of a capacity tier. */
  @IsOptional() readonly recurringPrice?: unknown;
}

class UsagePriceRequest {
  @IsString() readonly usageName!: string;
  @IsOptional() @IsArray() @ValidateNested({ each: true }) @Type(() => TierPriceRequest) readonly tierPrices?:
    TierPriceRequest[] | null;
}

export class PhasePriceRequest {
  @IsOptional() @IsString() readonly phaseName?: string | null;
  @IsOptional() @IsString() readonly phaseType?: string | null;
  @IsOptional() readonly fixedPrice?: unknown;
  @IsOptional() readonly recurringPrice?: unknown;
  @IsOptional() @IsArray() @ValidateNested({ each: true }) @Type(() => UsagePriceRequest) readonly usagePrices?:
    UsagePriceRequest[] | null;
}

/** Kill Bill's Subscription JSON as a request; what only answers carry is ignored. A null and a missing field are the same. */
export class SubscriptionRequest {
  @IsOptional() @IsString() readonly accountId?: string | null;
  @IsOptional() @IsString() readonly bundleId?: string | null;
  @IsOptional() @IsString() readonly bundleExternalKey?: string | null;
  @IsOptional() @IsString() readonly externalKey?: string | null;
  @IsOptional() @IsString() readonly planName?: string | null;
  @IsOptional() @IsString() readonly productName?: string | null;
  @IsOptional() @IsString() readonly productCategory?: string | null;
  @IsOptional() @IsString() readonly billingPeriod?: string | null;
  @IsOptional() @IsString() readonly priceList?: string | null;
  @IsOptional() @IsIn(phaseTypes) readonly phaseType?: PhaseType | null;
  @IsOptional() @IsInt() @Min(1) @Max(31) readonly billCycleDayLocal?: number | null;
  @IsOptional() @IsInt() @Min(1) @Max(1_000_000_000) readonly quantity?: number | null;
  @IsOptional() @IsArray() @ValidateNested({ each: true }) @Type(() => PhasePriceRequest) readonly priceOverrides?:
    PhasePriceRequest[] | null;
}

export class BundledSubscriptionsRequest {
  @IsArray()
  @ValidateNested({ each: true })
  @Type(() => SubscriptionRequest)
  readonly baseEntitlementAndAddOns!: SubscriptionRequest[];
}

export class CreateQuery {
  @IsOptional() @IsString() readonly entitlementDate?: string;
  @IsOptional() @IsString() readonly billingDate?: string;
  /** Before Kill Bill 0.22: both dates. */
  @IsOptional() @IsString() readonly requestedDate?: string;
  @IsOptional() @IsIn(['true', 'false']) readonly migrated?: string;
  @IsOptional() @IsIn(['true', 'false']) readonly renameKeyIfExistsAndUnused?: string;
}

const upper = (text: string): string => text.toUpperCase();
const known = (text: string | null | undefined): text is string => text !== undefined && text !== null && text !== '';

export const periodFrom = (text: string): BillingPeriod => {
  const period = parseBillingPeriod(upper(text));
  if (period === null) throw invalidValue(`billingPeriod: ${text} is not a billing period`);
  return period;
};

export const policyFrom = (name: string, text: string | undefined): BillingPolicy | null => {
  if (text === undefined || text === '') return null;
  const policy = billingPolicies.find((one) => one === upper(text));
  if (policy === undefined) throw invalidValue(`${name}: ${text} is not a policy`);
  if (policy === 'ILLEGAL') throw invalidValue(`${name}: ILLEGAL cannot be asked for`);
  return policy;
};

/** A plan name, or product, category, period and price list together; both at once is refused (Kill Bill 0.24). */
export const specifierFrom = (request: SubscriptionRequest): PlanSpecifier => {
  const { planName, productName, productCategory, billingPeriod, priceList } = request;
  const triple = [productName, productCategory, billingPeriod, priceList];
  if (known(planName)) {
    if (triple.some(known))
      throw invalidValue(
        'planName: give either planName, or productName, productCategory, billingPeriod and priceList',
      );
    return { planName };
  }
  if (!known(productName)) throw invalidValue('productName: must be given when planName is not');
  if (!known(productCategory)) throw invalidValue('productCategory: must be given when planName is not');
  if (!known(billingPeriod)) throw invalidValue('billingPeriod: must be given when planName is not');
  if (!known(priceList)) throw invalidValue('priceList: must be given when planName is not');
  return { productName, billingPeriod: periodFrom(billingPeriod), priceList };
};

/** A day at the account's reference time, or an instant when there is a time in it; null when nothing was given. */
export const whenFrom = (name: string, text: string | undefined, time: AccountTime): Instant | null => {
  if (text === undefined || text === '') return null;
  if (text.includes('T')) {
    const instant = parseInstant(text.replace(/ (\d{2}:?\d{2})$/, '+$1'));
    if (instant === null) throw invalidValue(`${name}: ${text} is not a date`);
    return instant;
  }
  const day = parseLocalDate(text);
  if (day === null) throw invalidValue(`${name}: ${text} is not a date`);
  return instantOf(day, time);
};

const priceFrom = (name: string, value: unknown) => {
  if (value === undefined || value === null) return null;
  const price = parseDecimal(value);
  if (price === null || price.startsWith('-')) throw invalidValue(`${name}: must be an amount that is not negative`);
  return price;
};

const maxFrom = (max: unknown) => {
  if (max === undefined || max === null) return null;
  const parsed = parseDecimal(max);
  if (parsed === null) throw invalidValue('max: must be a number of blocks, or -1');
  return parsed;
};

const blocksFrom = ({ tierPrices }: UsagePriceRequest): PriceOverride['usages'][number]['blocks'] =>
  (tierPrices ?? []).flatMap(({ blockPrices }) =>
    (blockPrices ?? []).flatMap(({ unitName, size, price, max }) => {
      const [parsedSize, parsedPrice] = [priceFrom('size', size), priceFrom('price', price)];
      return parsedSize === null || parsedPrice === null
        ? []
        : [{ unit: unitName, size: parsedSize, price: parsedPrice, max: maxFrom(max) }];
    }),
  );

const usageFrom = (usage: UsagePriceRequest): PriceOverride['usages'][number] => {
  const tierPrices = (usage.tierPrices ?? []).map(({ recurringPrice }) => priceFrom('recurringPrice', recurringPrice));
  return {
    name: usage.usageName,
    blocks: blocksFrom(usage),
    ...(tierPrices.some((price) => price !== null) ? { tierPrices } : {}),
  };
};

export const overridesFrom = ({ priceOverrides }: SubscriptionRequest): readonly PriceOverride[] =>
  (priceOverrides ?? []).map((override) => ({
    phaseName: override.phaseName ?? null,
    phaseType: override.phaseType ?? null,
    fixedPrice: priceFrom('fixedPrice', override.fixedPrice),
    recurringPrice: priceFrom('recurringPrice', override.recurringPrice),
    usages: (override.usagePrices ?? []).map(usageFrom),
  }));
