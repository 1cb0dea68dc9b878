/** What the API answers, as far as the cases look at it. */
export type ItemJson = {
  readonly invoiceItemId: string;
  readonly itemType: string;
  readonly subscriptionId: string | null;
  readonly phaseName: string | null;
  readonly startDate: string | null;
  readonly endDate: string | null;
  readonly amount: number;
};

export type InvoiceJson = {
  readonly invoiceId: string;
  readonly invoiceNumber: string;
  readonly invoiceDate: string;
  readonly targetDate: string | null;
  readonly status: string;
  readonly currency: string;
  readonly amount: number;
  readonly balance: number;
  readonly creditAdj: number;
  readonly trackingIds: readonly string[] | null;
  readonly items: readonly ItemJson[] | null;
};

export type TransactionJson = {
  readonly transactionId: string;
  readonly transactionExternalKey: string;
  readonly transactionType: string;
  readonly status: string;
  readonly amount: number | null;
  readonly currency: string | null;
  readonly processedAmount: number | null;
  readonly effectiveDate: string;
};

export type PaymentJson = {
  readonly paymentId: string;
  readonly paymentNumber: string;
  readonly paymentExternalKey: string;
  readonly targetInvoiceId: string;
  readonly currency: string;
  readonly purchasedAmount: number;
  readonly refundedAmount: number;
  readonly transactions: readonly TransactionJson[];
};

export type AccountJson = {
  readonly accountId: string;
  readonly parentAccountId: string | null;
  readonly paymentMethodId: string | null;
  readonly billCycleDayLocal: number | null;
  readonly accountBalance: number;
  readonly accountCBA: number;
};

export type SubscriptionJson = {
  readonly subscriptionId: string;
  readonly bundleId: string;
  readonly bundleExternalKey: string;
  readonly externalKey: string;
  readonly [field: string]: unknown;
};

export type OverdueJson = { readonly name: string; readonly isClearState: boolean };
