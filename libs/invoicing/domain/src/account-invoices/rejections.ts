import type { Rejection } from '@billstream/event-sourcing';
import type { LocalDate } from '@billstream/kernel';

/** Why a command on an account's invoices was refused. */
export type AccountInvoicesRejection =
  | Rejection<'account-unknown'>
  /** Nothing can be charged to an account that has no currency yet. */
  | Rejection<'account-without-currency'>
  | (Rejection<'target-date-too-far'> & { readonly targetDate: LocalDate })
  | (Rejection<'invoice-unknown'> & { readonly invoiceId: string })
  | (Rejection<'item-unknown'> & { readonly itemId: string })
  | (Rejection<'invoice-not-draft'> & { readonly invoiceId: string; readonly status: 'COMMITTED' | 'VOID' })
  | (Rejection<'invoice-voided'> & { readonly invoiceId: string })
  | (Rejection<'invoice-paid'> & { readonly invoiceId: string })
  | (Rejection<'invoice-repaired'> & { readonly invoiceId: string })
  | (Rejection<'credit-used'> & { readonly invoiceId: string })
  | (Rejection<'item-not-adjustable'> & { readonly itemId: string })
  | (Rejection<'adjustment-not-positive'> & { readonly itemId: string })
  | (Rejection<'adjustment-too-high'> & { readonly itemId: string; readonly leftMinor: number })
  | (Rejection<'nothing-to-adjust'> & { readonly itemId: string })
  | (Rejection<'credit-not-deletable'> & { readonly itemId: string })
  | (Rejection<'account-without-parent'> & { readonly accountId: string })
  | (Rejection<'no-credit-to-transfer'> & { readonly accountId: string })
  /** Books are kept in whole numbers that JSON and JavaScript hold exactly. */
  | (Rejection<'amount-out-of-range'> & { readonly invoiceId: string | null });
