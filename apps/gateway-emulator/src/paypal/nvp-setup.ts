import { mintId, record, type NvpOperation, type NvpRequest, type PayPal } from './paypal-context';
import { failure, firstRefusal, success, type NvpFields, type NvpReply } from './nvp-envelope';
import { parseAmount, wireDigits } from './nvp-amount';
import { triggeredBy } from './nvp-errors';
import { TOKEN_LIFE_MS, type Agreement, type CheckoutToken } from './paypal-state';

const DESCRIPTION_MAX = 127;
const CUSTOM_MAX = 256;
const BILLING_TYPES: readonly string[] = ['MerchantInitiatedBilling', 'MerchantInitiatedBillingSingleAgreement'];

export const setExpressCheckout: NvpOperation = (paypal, request) => {
  const { get, text, merchant } = request;
  const returnUrl = absoluteUrl(text('RETURNURL'));
  const cancelUrl = absoluteUrl(text('CANCELURL'));
  const refusal = checkSetup(request);
  if (refusal || !returnUrl || !cancelUrl)
    return refusal ?? failure('10004', 'RETURNURL and CANCELURL must be absolute http or https URLs.');
  if (!paypal.state.settings().referenceTransactions) return failure('11452');

  const brandName = get('BRANDNAME');
  const custom = get('L_BILLINGAGREEMENTCUSTOM0');
  const token: CheckoutToken = {
    token: mintId('EC-'),
    merchant,
    returnUrl,
    cancelUrl,
    description: text('L_BILLINGAGREEMENTDESCRIPTION0'),
    ...(brandName ? { brandName } : {}),
    ...(custom ? { custom } : {}),
    currency: text('PAYMENTREQUEST_0_CURRENCYCODE', 'USD'),
    singleAgreement: get('L_BILLINGTYPE0') === 'MerchantInitiatedBillingSingleAgreement',
    issuedAtMs: paypal.now(),
    status: 'open',
  };
  record(paypal, { type: 'token-issued', token });
  return success({ TOKEN: token.token });
};

const checkSetup = ({ text }: NvpRequest): NvpReply | undefined => {
  const currency = text('PAYMENTREQUEST_0_CURRENCYCODE', 'USD');
  const amount = parseAmount(text('PAYMENTREQUEST_0_AMT'), 2);
  return firstRefusal([
    [wireDigits(currency) !== undefined, '10755', `Currency ${currency} is not supported.`],
    [amount !== undefined, '10004', 'PAYMENTREQUEST_0_AMT is missing or malformed.'],
    [amount === 0, '10004', 'This emulator sets up agreements only: PAYMENTREQUEST_0_AMT must be 0.'],
    [BILLING_TYPES.includes(text('L_BILLINGTYPE0')), '10004', 'L_BILLINGTYPE0 is missing or unknown.'],
    [text('L_BILLINGAGREEMENTDESCRIPTION0').length <= DESCRIPTION_MAX, '10004', 'The description is too long.'],
    [text('L_BILLINGAGREEMENTCUSTOM0').length <= CUSTOM_MAX, '10004', 'L_BILLINGAGREEMENTCUSTOM0 is too long.'],
  ]);
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

export const billAgreementUpdate: NvpOperation = (paypal, { get, text, merchant }) => {
  const referenceId = text('REFERENCEID');
  const triggered = paypal.state.settings().negativeTesting ? triggeredBy(referenceId) : undefined;
  if (triggered) return failure(triggered);
  const agreement = paypal.state.agreement(referenceId);
  if (agreement?.merchant !== merchant) return failure('11451');
  const status = get('BILLINGAGREEMENTSTATUS');
  const refusal = firstRefusal([
    [status === undefined || status === 'Canceled', '10004', 'BILLINGAGREEMENTSTATUS can only become Canceled.'],
    [!status || agreement.status !== 'Canceled', '10201'],
  ]);
  if (refusal) return refusal;
  const to = {
    ...(status ? { status: 'Canceled' as const } : {}),
    ...present('description', get('BILLINGAGREEMENTDESCRIPTION')),
    ...present('custom', get('BILLINGAGREEMENTCUSTOM')),
  };
  if (Object.keys(to).length > 0) record(paypal, { type: 'agreement-updated', id: agreement.id, to });
  return success(agreementFields({ ...agreement, ...to }));
};

const present = (name: 'description' | 'custom', value: string | undefined): Partial<Agreement> =>
  value === undefined ? {} : { [name]: value };

const agreementFields = ({ id, status, description, custom, payer }: Agreement): NvpFields => ({
  BILLINGAGREEMENTID: id,
  BILLINGAGREEMENTSTATUS: status,
  BILLINGAGREEMENTDESCRIPTION: description,
  BILLINGAGREEMENTCUSTOM: custom,
  EMAIL: payer.email,
  PAYERSTATUS: 'verified',
  COUNTRYCODE: 'US',
});

export const isExpired = (token: CheckoutToken, now: number): boolean => now - token.issuedAtMs >= TOKEN_LIFE_MS;

const liveToken = (paypal: PayPal, merchant: string, id: string | undefined): CheckoutToken | undefined => {
  const token = paypal.state.token(id ?? '');
  return token && token.merchant === merchant && !isExpired(token, paypal.now()) ? token : undefined;
};

const absoluteUrl = (text: string): string | undefined => {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  return url.protocol === 'http:' || url.protocol === 'https:' ? url.href : undefined;
};
