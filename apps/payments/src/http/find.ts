import { parseUuid } from '@billstream/kernel';
import {
  type PayerView,
  type PaymentMethodView,
  type PaymentView,
  methodById,
  payerById,
  paymentById,
} from '@billstream/payments-read-models';
import type { Payments } from '../payments';
import { soon } from '../soon';
import { unknownAccount, unknownMethod, unknownPayment } from './problems';

/** The tenant's account; it comes from another service, so it may take a moment to be known here. */
export const existingPayer = async ({ runtime }: Payments, tenantId: string, text: string): Promise<PayerView> => {
  const accountId = parseUuid(text);
  const found = accountId === null ? null : await soon(() => payerById(runtime.database, tenantId, accountId));
  if (found === null) throw unknownAccount(text);
  return found;
};

export const existingMethod = async (
  payments: Payments,
  tenantId: string,
  lookup: { readonly id: string; readonly includeRemoved: boolean },
): Promise<PaymentMethodView> => {
  const by = parseUuid(lookup.id);
  const { database } = payments.runtime;
  const { includeRemoved } = lookup;
  const found =
    by === null ? null : await lookTwice(payments, () => methodById(database, tenantId, { by, includeRemoved }));
  if (found === null) throw unknownMethod(lookup.id);
  return found;
};

export const existingPayment = async (payments: Payments, tenantId: string, id: string): Promise<PaymentView> => {
  const paymentId = parseUuid(id);
  const { database } = payments.runtime;
  const found = paymentId === null ? null : await lookTwice(payments, () => paymentById(database, tenantId, paymentId));
  if (found === null) throw unknownPayment(id);
  return found;
};

/** Looks, and looks once more when the read models have caught up: what was just written is never denied. */
export const lookTwice = async <T>({ runtime }: Payments, look: () => Promise<T | null>): Promise<T | null> => {
  const seen = await look();
  if (seen !== null) return seen;
  await runtime.caughtUp();
  return look();
};
