import type { AskedItem } from '@billstream/invoicing-domain';
import type { InvoicedAccount } from '@billstream/invoicing-read-models';
import { type Currency, type Decimal, parseDecimal, parseUuid, settle, toNumber } from '@billstream/kernel';
import { IsNumber, IsOptional, IsString, MaxLength } from 'class-validator';
import { dateFrom } from './dates';
import { invalidValue, missingAmount, wrongCurrency } from './problems';

const textLengthMax = 4_096;
/** What Kill Bill's column for it holds. */
const detailsLengthMax = 65_535;

/** Kill Bill's InvoiceItem as a client sends it; what it cannot decide itself is ignored. */
export class InvoiceItemRequest {
  @IsOptional() @IsString() readonly invoiceItemId?: string | null;
  @IsOptional() @IsString() readonly invoiceId?: string | null;
  @IsOptional() @IsString() readonly linkedInvoiceItemId?: string | null;
  @IsOptional() @IsString() readonly accountId?: string | null;
  @IsOptional() @IsString() readonly bundleId?: string | null;
  @IsOptional() @IsString() readonly subscriptionId?: string | null;
  @IsOptional() @IsString() @MaxLength(255) readonly productName?: string | null;
  @IsOptional() @IsString() @MaxLength(255) readonly planName?: string | null;
  @IsOptional() @IsString() @MaxLength(255) readonly phaseName?: string | null;
  @IsOptional() @IsString() @MaxLength(255) readonly usageName?: string | null;
  @IsOptional() @IsString() readonly itemType?: string | null;
  @IsOptional() @IsString() @MaxLength(textLengthMax) readonly description?: string | null;
  @IsOptional() @IsString() readonly startDate?: string | null;
  @IsOptional() @IsString() readonly endDate?: string | null;
  @IsOptional() @IsNumber() readonly amount?: number | null;
  @IsOptional() @IsNumber() readonly rate?: number | null;
  @IsOptional() @IsString() readonly currency?: string | null;
  @IsOptional() @IsNumber() readonly quantity?: number | null;
  @IsOptional() @IsString() @MaxLength(detailsLengthMax) readonly itemDetails?: string | null;
}

/** A thousand million million minor units: sums of thousands of such amounts are still exact. */
const amountMinorMax = 1e12;

/** An amount in minor units of the account's currency, to the nearest one; refused where the books could not add it up. */
export const minorFrom = (field: string, value: number, currency: Currency): number => {
  const amount = parseDecimal(value);
  if (amount === null) throw invalidValue(`${field}: not an amount`);
  if (Math.abs(value) > amountMinorMax) throw invalidValue(`${field}: more than ${String(amountMinorMax)}`);
  return settle(amount, currency).minor;
};

const idFrom = (field: string, text: string | null | undefined): string | null => {
  if (text === undefined || text === null || text === '') return null;
  const id = parseUuid(text);
  if (id === null) throw invalidValue(`${field}: not an id: ${text}`);
  return id;
};

const decimalFrom = (field: string, value: number | null | undefined): Decimal | null => {
  if (value === undefined || value === null) return null;
  const decimal = parseDecimal(value);
  if (decimal === null || Math.abs(toNumber(decimal)) > amountMinorMax) throw invalidValue(`${field}: out of range`);
  return decimal;
};

const textOr = (text: string | null | undefined): string | null => (text === undefined || text === '' ? null : text);

type Rules = {
  readonly account: InvoicedAccount;
  readonly type: AskedItem['type'];
  /** Kill Bill's code for an amount that is missing or negative. */
  readonly amountCode: 4009 | 4015;
};

export const currencyOf = (account: InvoicedAccount, asked: string | null | undefined): Currency => {
  const given = textOr(asked);
  if (given !== null && given !== account.currency) throw wrongCurrency(given, account.currency);
  if (account.currency === null) throw invalidValue(`account ${account.accountId} has no currency yet`);
  return account.currency;
};

/** A request's line as the domain takes it. Errors name the place, e.g. `[2].amount`. */
export const askedItem = (request: InvoiceItemRequest, index: number, rules: Rules): AskedItem => {
  const at = (field: string): string => `[${String(index)}].${field}`;
  const { account, type, amountCode } = rules;
  const currency = currencyOf(account, request.currency);
  const accountId = idFrom(at('accountId'), request.accountId);
  if (accountId !== null && accountId !== account.accountId)
    throw invalidValue(`${at('accountId')}: another account than ${account.accountId}`);
  const { amount } = request;
  if (amount === undefined || amount === null || amount < 0) throw missingAmount(amountCode, at('amount'));
  const startDate = dateFrom(at('startDate'), request.startDate ?? undefined);
  const endDate = dateFrom(at('endDate'), request.endDate ?? undefined);
  if (startDate !== null && endDate !== null && endDate < startDate)
    throw invalidValue(`${at('endDate')}: before startDate`);
  return {
    type,
    amountMinor: minorFrom(at('amount'), amount, currency),
    invoiceId: idFrom(at('invoiceId'), request.invoiceId),
    startDate,
    endDate,
    description: textOr(request.description),
    itemDetails: textOr(request.itemDetails),
    linkedItemId: idFrom(at('linkedInvoiceItemId'), request.linkedInvoiceItemId),
    subscriptionId: idFrom(at('subscriptionId'), request.subscriptionId),
    bundleId: idFrom(at('bundleId'), request.bundleId),
    productName: textOr(request.productName),
    planName: textOr(request.planName),
    phaseName: textOr(request.phaseName),
    usageName: textOr(request.usageName),
    quantity: decimalFrom(at('quantity'), request.quantity),
    rate: decimalFrom(at('rate'), request.rate),
  };
};
