import type { AccountView } from '@billstream/accounts-read-models';
import { money, toDecimal, toNumber } from '@billstream/kernel';
import type { Accounts } from '../accounts';
import { AuditQuery, withAuditLogs } from './audit-logs';
import { isTrue } from './query-values';
import { Type } from 'class-transformer';
import { IsInt, IsOptional, IsString, Max, Min } from 'class-validator';

/** Which figures a client asked to see beside the account. */
export class BalanceQuery extends AuditQuery {
  @IsOptional() @IsString() readonly accountWithBalance?: string;
  @IsOptional() @IsString() readonly accountWithBalanceAndCBA?: string;
}

const rowsMax = 1_000_000_000;

export class AccountPageQuery extends BalanceQuery {
  @IsOptional() @Type(() => Number) @IsInt() @Min(-1) @Max(rowsMax) readonly offset: number = 0;
  @IsOptional() @Type(() => Number) @IsInt() @Min(-rowsMax) @Max(rowsMax) readonly limit: number = 100;
}

/** An amount as Kill Bill's JSON has it. Without a currency nothing was ever charged. */
const amount = (view: AccountView, minor: bigint): number =>
  view.balanceCurrency === null ? 0 : toNumber(toDecimal(money(Number(minor), view.balanceCurrency)));

/** Accounts as a client gets them: with the figures and audit logs that it asks for. */
export const answerAccounts = (accounts: Accounts, views: readonly AccountView[], request: AccountsRequest) =>
  withAuditLogs(
    accounts,
    request,
    views.map((view) => ({ objectType: 'ACCOUNT', objectId: view.accountId, json: accountJson(view, request.query) })),
  );

type AccountsRequest = { readonly tenantId: string; readonly query: BalanceQuery };

/** Kill Bill's Account JSON (0.20 and later), every field present and in its order; audit logs come after it. */
const accountJson = (view: AccountView, query: BalanceQuery) => {
  const withCredit = isTrue(query.accountWithBalanceAndCBA);
  const withBalance = withCredit || isTrue(query.accountWithBalance);
  return {
    accountId: view.accountId,
    name: view.name,
    firstNameLength: view.firstNameLength,
    externalKey: view.externalKey,
    email: view.email,
    billCycleDayLocal: view.billCycleDayLocal,
    currency: view.currency,
    parentAccountId: view.parentAccountId,
    isPaymentDelegatedToParent: view.isPaymentDelegatedToParent,
    paymentMethodId: view.paymentMethodId,
    referenceTime: view.referenceTime,
    timeZone: view.timeZone,
    address1: view.address1,
    address2: view.address2,
    postalCode: view.postalCode,
    company: view.company,
    city: view.city,
    state: view.state,
    country: view.country,
    locale: view.locale,
    phone: view.phone,
    notes: view.notes,
    isMigrated: view.isMigrated,
    accountBalance: withBalance ? amount(view, view.balanceMinor) : null,
    accountCBA: withCredit ? amount(view, view.creditMinor) : null,
  };
};
