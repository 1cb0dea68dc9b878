import { type Currency, parseCurrency } from '@billstream/kernel';
import { ApiHideProperty } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsNumber,
  IsOptional,
  IsString,
  MaxLength,
  ValidateNested,
} from 'class-validator';
import { amountFrom } from './amount';
import { invalidValue } from './problems';

const types = ['AUTHORIZE', 'CAPTURE', 'PURCHASE', 'REFUND', 'CREDIT', 'VOID', 'CHARGEBACK'];
const statuses = ['SUCCESS', 'UNKNOWN', 'PENDING', 'PAYMENT_FAILURE', 'PLUGIN_FAILURE', 'PAYMENT_SYSTEM_OFF'];

/** Kill Bill's PaymentTransaction (0.24), as far as a request says anything with it. */
export class TransactionRequest {
  @IsOptional() @IsString() @MaxLength(36) readonly transactionId?: string | null;
  @IsOptional() @IsString() @MaxLength(255) readonly transactionExternalKey?: string | null;
  @IsOptional() @IsString() @MaxLength(36) readonly paymentId?: string | null;
  @IsOptional() @IsString() @MaxLength(255) readonly paymentExternalKey?: string | null;
  @IsOptional() @IsIn(types) readonly transactionType?: string | null;
  @IsOptional() @IsNumber() readonly amount?: number | null;
  @IsOptional() @IsString() @MaxLength(3) readonly currency?: string | null;
  @IsOptional() @IsIn(statuses) readonly status?: string | null;
}

export class ItemAdjustmentRequest {
  @IsString() @MaxLength(36) readonly invoiceItemId!: string;
  @IsOptional() @IsNumber() readonly amount?: number | null;
}

/** What invoicing adds to a refund on its way here. */
export class AdjustedItemKnown {
  @IsString() readonly invoiceItemId!: string;
  @IsString() readonly invoiceId!: string;
  @IsInt() readonly leftMinor!: number;
}

/** Kill Bill's InvoicePaymentTransaction (0.24). */
export class InvoiceTransactionRequest extends TransactionRequest {
  @IsOptional() @IsBoolean() readonly isAdjusted?: boolean | null;
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(1_000)
  @ValidateNested({ each: true })
  @Type(() => ItemAdjustmentRequest)
  readonly adjustments?: readonly ItemAdjustmentRequest[] | null;
  @ApiHideProperty()
  @IsOptional()
  @IsArray()
  @ValidateNested({ each: true })
  @Type(() => AdjustedItemKnown)
  readonly adjustedItems?: readonly AdjustedItemKnown[] | null;
}

/** Null: the request names no currency. */
export const currencyOf = ({ currency: text }: Pick<TransactionRequest, 'currency'>): Currency | null => {
  if (text == null || text === '') return null;
  const currency = parseCurrency(text);
  if (currency === null) throw invalidValue(`currency: ${text} is not a currency`);
  return currency;
};

export const amountOf = ({ amount }: Pick<TransactionRequest, 'amount'>, currency: Currency | null): number | null =>
  amountFrom('amount', amount, currency);

/** An empty key is none. */
export const keyOf = (text: string | null | undefined): string | null => (text == null || text === '' ? null : text);
