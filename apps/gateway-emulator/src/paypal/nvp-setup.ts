import { mintId, record, type NvpOperation, type PayPal } from './paypal-context';
import { failure, success } from './nvp-envelope';
import { parseAmount, wireDigits } from './nvp-amount';
import { triggeredBy } from './nvp-errors';
import { TOKEN_LIFE_MS, type Agreement, type CheckoutToken } from './paypal-state';

const DESCRIPTION_MAX = 127;
const CUSTOM_MAX = 256;
const BILLING_TYPES: readonly string[] = ['MerchantInitiatedBilling', 'MerchantInitiatedBillingSingleAgreement'];

export const setExpressCheckout: NvpOperation = (paypal, { get, merchant }) => {
  const returnUrl = absoluteUrl(get('RETURNURL'));
  const cancelUrl = absoluteUrl(get('CANCELURL'));
  if (!returnUrl) return failure('10004', 'RETURNURL must be an absolute http or https URL.');
  if (!cancelUrl) return failure('10004', 'CANCELURL must be an absolute http or https URL.');
  const currency = get('PAYMENTREQUEST_0_CURRENCYCODE') ?? 'USD';
  const digits = wireDigits(currency);
  if (digits === undefined) return failure('10755', `Currency ${currency} is not supported.`);
  const amount = parseAmount(get('PAYMENTREQUEST_0_AMT') ?? '', 2);
  if (amount === undefined) return failure('10004', 'PAYMENTREQUEST_0_AMT is missing or malformed.');
  if (amount !== 0) return failure('10004', 'This emulator sets up agreements only: PAYMENTREQUEST_0_AMT must be 0.');
  const billingType = get('L_BILLINGTYPE0');
  if (!billingType || !BILLING_TYPES.includes(billingType))
    return failure('10004', 'L_BILLINGTYPE0 is missing or unknown.');
  const description = get('L_BILLINGAGREEMENTDESCRIPTION0') ?? '';
  const custom = get('L_BILLINGAGREEMENTCUSTOM0');
  if (description.length > DESCRIPTION_MAX) return failure('10004', 'L_BILLINGAGREEMENTDESCRIPTION0 is too long.');
  if (custom && custom.length > CUSTOM_MAX) return failure('10004', 'L_BILLINGAGREEMENTCUSTOM0 is too long.');
  if (!paypal.state.settings().referenceTransactions) return failure('11452');

  const brandName = get('BRANDNAME');
  const token: CheckoutToken = {
    token: mintId('EC-'),
    merchant,
    returnUrl,
    cancelUrl,
    description,
    ...(brandName ? { brandName } : {}),
    ...(custom ? { custom } : {}),
    currency,
    singleAgreement: billingType === 'MerchantInitiatedBillingSingleAgreement',
    issuedAtMs: paypal.now(),
    status: 'open',
  };
  record(paypal, { type: 'token-issued', token });
  return success({ TOKEN: token.token });
};

export const getExpressCheckoutDetails: NvpOperation = (paypal, { get, merchant }) => {
  const token = liveToken(paypal, merchant, get('TOKEN'));
  if (!token) return failure('10411');
  const accepted = token.status === 'approved' || token.status === 'used';
  return success({
    TOKEN: token.token,
    BILLINGAGREEMENTACCEPTEDSTATUS: accepted ? '1' : '0',
    CHECKOUTSTATUS: token.status === 'used' ? 'PaymentActionCompleted' : 'PaymentActionNotInitiated',
    CUSTOM: token.custom,
    CURRENCYCODE: token.currency,
    AMT: '0.00',
    ...(accepted && token.payer
      ? {
          PAYERID: token.payer.payerId,
          EMAIL: token.payer.email,
          PAYERSTATUS: 'verified',
          COUNTRYCODE: 'US',
          FIRSTNAME: 'Test',
          LASTNAME: 'Buyer',
        }
      : {}),
  });
};

/** A second call with the same token gives the same agreement and a warning: a lost answer must be recoverable. */
export const createBillingAgreement: NvpOperation = (paypal, { get, merchant }) => {
  const token = liveToken(paypal, merchant, get('TOKEN'));
  if (!token) return failure('10411');
  if (token.status === 'used') return success({ BILLINGAGREEMENTID: token.agreementId }, '11607');
  if (!paypal.state.settings().referenceTransactions) return failure('11452');
  if (token.status !== 'approved' || !token.payer)
    return failure('11458', 'The payer did not accept the billing agreement.');
  const existing = token.singleAgreement ? paypal.state.activeAgreementOf(merchant, token.payer.payerId) : undefined;
  const agreement: Agreement = existing ?? {
    id: mintId('B-'),
    merchant,
    payer: token.payer,
    status: 'Active',
    description: token.description,
    ...(token.custom ? { custom: token.custom } : {}),
  };
  record(paypal, { type: 'token-used', token: token.token, agreement });
  return success({ BILLINGAGREEMENTID: agreement.id });
};

export const billAgreementUpdate: NvpOperation = (paypal, { get, merchant }) => {
  const referenceId = get('REFERENCEID') ?? '';
  const triggered = paypal.state.settings().negativeTesting ? triggeredBy(referenceId) : undefined;
  if (triggered) return failure(triggered);
  const agreement = paypal.state.agreement(referenceId);
  if (!agreement || agreement.merchant !== merchant) return failure('11451');
  const status = get('BILLINGAGREEMENTSTATUS');
  if (status !== undefined && status !== 'Canceled')
    return failure('10004', 'BILLINGAGREEMENTSTATUS can only become Canceled.');
  if (status && agreement.status === 'Canceled') return failure('10201');
  const description = get('BILLINGAGREEMENTDESCRIPTION');
  const custom = get('BILLINGAGREEMENTCUSTOM');
  const to = {
    ...(status ? { status: 'Canceled' as const } : {}),
    ...(description === undefined ? {} : { description }),
    ...(custom === undefined ? {} : { custom }),
  };
  if (Object.keys(to).length > 0) record(paypal, { type: 'agreement-updated', id: agreement.id, to });
  const after = { ...agreement, ...to };
  return success({
    BILLINGAGREEMENTID: after.id,
    BILLINGAGREEMENTSTATUS: after.status,
    BILLINGAGREEMENTDESCRIPTION: after.description,
    BILLINGAGREEMENTCUSTOM: after.custom,
    EMAIL: after.payer.email,
    PAYERSTATUS: 'verified',
    COUNTRYCODE: 'US',
  });
};

export const isExpired = (token: CheckoutToken, now: number): boolean => now - token.issuedAtMs >= TOKEN_LIFE_MS;

const liveToken = (paypal: PayPal, merchant: string, id: string | undefined): CheckoutToken | undefined => {
  const token = paypal.state.token(id ?? '');
  return token && token.merchant === merchant && !isExpired(token, paypal.now()) ? token : undefined;
};

const absoluteUrl = (text: string | undefined): string | undefined => {
  if (!text || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  return url.protocol === 'http:' || url.protocol === 'https:' ? url.href : undefined;
};
