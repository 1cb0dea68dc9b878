import { type AccountTerms, type Profile } from '@billstream/accounts-domain';
import { parseCurrency, parseUuid } from '@billstream/kernel';
import { IsBoolean, IsInt, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';
import { IsCurrency, IsId, IsInstantText, IsTimeZoneName, instantFrom } from './validators';

/** Kill Bill's Account JSON as a request; lengths are those of its columns. A null and a missing field are the same. */
export class AccountRequest {
  @IsOptional() @IsString() @MaxLength(100) readonly name?: string | null;
  @IsOptional() @IsInt() @Min(0) @Max(100) readonly firstNameLength?: number | null;
  @IsOptional() @IsString() readonly externalKey?: string | null;
  @IsOptional() @IsString() @MaxLength(128) readonly email?: string | null;
  @IsOptional() @IsInt() readonly billCycleDayLocal?: number | null;
  @IsOptional() @IsCurrency() readonly currency?: string | null;
  @IsOptional() @IsId() readonly parentAccountId?: string | null;
  @IsOptional() @IsBoolean() readonly isPaymentDelegatedToParent?: boolean | null;
  @IsOptional() @IsId() readonly paymentMethodId?: string | null;
  @IsOptional() @IsInstantText() readonly referenceTime?: string | null;
  @IsOptional() @IsTimeZoneName() readonly timeZone?: string | null;
  @IsOptional() @IsString() @MaxLength(100) readonly address1?: string | null;
  @IsOptional() @IsString() @MaxLength(100) readonly address2?: string | null;
  @IsOptional() @IsString() @MaxLength(16) readonly postalCode?: string | null;
  @IsOptional() @IsString() @MaxLength(50) readonly company?: string | null;
  @IsOptional() @IsString() @MaxLength(50) readonly city?: string | null;
  @IsOptional() @IsString() @MaxLength(50) readonly state?: string | null;
  @IsOptional() @IsString() @MaxLength(50) readonly country?: string | null;
  @IsOptional() @IsString() @MaxLength(5) readonly locale?: string | null;
  @IsOptional() @IsString() @MaxLength(25) readonly phone?: string | null;
  @IsOptional() @IsString() @MaxLength(4096) readonly notes?: string | null;
  @IsOptional() @IsBoolean() readonly isMigrated?: boolean | null;
}

export const termsOf = (request: AccountRequest): AccountTerms => ({
  externalKey: request.externalKey ?? null,
  currency: parsed(request.currency, parseCurrency),
  timeZone: request.timeZone ?? null,
  referenceTime: parsed(request.referenceTime, instantFrom),
  billCycleDayLocal: request.billCycleDayLocal ?? null,
  parentAccountId: parsed(request.parentAccountId, parseUuid),
  isPaymentDelegatedToParent: request.isPaymentDelegatedToParent ?? null,
  isMigrated: request.isMigrated ?? null,
});

const parsed = <T>(text: string | null | undefined, parse: (text: string) => T | null): T | null =>
  text === null || text === undefined ? null : parse(text);

export const profileOf = (request: AccountRequest): Profile => ({
  name: request.name ?? null,
  firstNameLength: request.firstNameLength ?? null,
  email: request.email ?? null,
  address1: request.address1 ?? null,
  address2: request.address2 ?? null,
  ...placeOf(request),
  locale: request.locale ?? null,
  phone: request.phone ?? null,
  notes: request.notes ?? null,
});

const placeOf = (request: AccountRequest) => ({
  postalCode: request.postalCode ?? null,
  company: request.company ?? null,
  city: request.city ?? null,
  state: request.state ?? null,
  country: request.country ?? null,
});
