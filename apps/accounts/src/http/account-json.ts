import type { AccountView } from '@billstream/accounts-read-models';
import { money, parseUuid, toDecimal, toNumber } from '@billstream/kernel';
import { Type } from 'class-transformer';
import { IsInt, IsOptional, IsString } from 'class-validator';

/** Which figures a client asked to see beside the account. */
export class BalanceQuery {
  @IsOptional() @IsString() readonly accountWithBalance?: string;
  @IsOptional() @IsString() readonly accountWithBalanceAndCBA?: string;
}

export class AccountPageQuery extends BalanceQuery {
  @IsOptional() @Type(() => Number) @IsInt() readonly offset: number = 0;
  @IsOptional() @Type(() => Number) @IsInt() readonly limit: number = 100;
}

const isTrue = (text: string | undefined): boolean => text?.toLowerCase() === 'true';

/** An amount as Kill Bill's JSON has it. Without a currency nothing was ever charged. */
const amount = (view: AccountView, minor: bigint): number =>
  view.balanceCurrency === null ? 0 : toNumber(toDecimal(money(Number(minor), view.balanceCurrency)));

/** Kill Bill's Account JSON (0.20 and later), every field present and in its order. */
export const accountJson = (view: AccountView, query: BalanceQuery) => {
  const withCredit = isTrue(query.accountWithBalanceAndCBA);
  const withBalance = withCredit || isTrue(query.accountWithBalance);
  const { balanceCurrency: _currency, balanceMinor, creditMinor, ...fields } = view;
  return {
    accountId: fields.accountId,
    name: fields.name,
    firstNameLength: fields.firstNameLength,
    externalKey: fields.externalKey,
    email: fields.email,
    billCycleDayLocal: fields.billCycleDayLocal,
    currency: fields.currency,
    parentAccountId: fields.parentAccountId,
    isPaymentDelegatedToParent: fields.isPaymentDelegatedToParent,
    paymentMethodId: fields.paymentMethodId,
    referenceTime: fields.referenceTime,
    timeZone: fields.timeZone,
    address1: fields.address1,
    address2: fields.address2,
    postalCode: fields.postalCode,
    company: fields.company,
    city: fields.city,
    state: fields.state,
    country: fields.country,
    locale: fields.locale,
    phone: fields.phone,
    notes: fields.notes,
    isMigrated: fields.isMigrated,
    accountBalance: withBalance ? amount(view, balanceMinor) : null,
    accountCBA: withCredit ? amount(view, creditMinor) : null,
    auditLogs: [],
  };
};

/** An id out of a path; what is no UUID names nothing that could exist. */
export const pathId = (text: string): string | null => parseUuid(text);
