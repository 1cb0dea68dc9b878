import type {
  BeginSetup,
  CompleteSetup,
  CredentialRevoked,
  CredentialState,
  NotExecuted,
  PaymentGateway,
  SetupCompleted,
  SetupStarted,
  Unknown,
} from '../gateway-port';
import type { NvpVerdict } from './nvp-client';
import { classOf, type ErrorClass } from './paypal-errors';
import type { PayPalClient } from './paypal-client';

const TOKEN_LIFE_MS = 3 * 60 * 60 * 1000;

type CredentialOperations = Pick<
  PaymentGateway,
  'beginSetup' | 'completeSetup' | 'describeCredential' | 'revokeCredential'
>;

export const payPalCredentials = (client: PayPalClient): CredentialOperations => ({
  beginSetup: (input) => beginSetup(client, input),
  completeSetup: (input) => completeSetup(client, input),
  describeCredential: (credential) => describe(client, credential),
  revokeCredential: (credential) => revoke(client, credential),
});

const beginSetup = async (client: PayPalClient, input: BeginSetup): Promise<SetupStarted> => {
  const asked = client.now().getTime();
  const result = await client.call('SetExpressCheckout', {
    RETURNURL: input.returnUrl,
    CANCELURL: input.cancelUrl,
    PAYMENTREQUEST_0_AMT: '0.00',
    PAYMENTREQUEST_0_CURRENCYCODE: input.currency,
    PAYMENTREQUEST_0_PAYMENTACTION: 'AUTHORIZATION',
    L_BILLINGTYPE0:
      input.agreementKind === 'one-per-payer' ? 'MerchantInitiatedBillingSingleAgreement' : 'MerchantInitiatedBilling',
    L_BILLINGAGREEMENTDESCRIPTION0: input.description.slice(0, 127),
    L_BILLINGAGREEMENTCUSTOM0: input.setupId,
    // Keeps eChecks, which clear after days, out of subscriptions.
    L_PAYMENTTYPE0: 'InstantOnly',
    NOSHIPPING: '1',
    BRANDNAME: input.brandName,
  });
  if (result.kind !== 'Verdict') return result;
  const token = result.success ? result.get('TOKEN') : undefined;
  if (!token) return refused(client, result);
  const url = new URL(client.redirectUrl);
  url.search = new URLSearchParams({ cmd: '_express-checkout', token, useraction: 'commit' }).toString();
  return { kind: 'Redirect', url: url.href, token, expiresAt: new Date(asked + TOKEN_LIFE_MS).toISOString() };
};

const completeSetup = async (client: PayPalClient, { token }: CompleteSetup): Promise<SetupCompleted> => {
  const details = await client.call('GetExpressCheckoutDetails', { TOKEN: token });
  if (details.kind !== 'Verdict') return details;
  if (!details.success) return setupRefused(client, details);
  const payerRef = details.get('PAYERID');
  // Without both, CreateBillingAgreement fails with an error that looks like a missing account permission.
  if (!payerRef || details.get('BILLINGAGREEMENTACCEPTEDSTATUS') !== '1')
    return { kind: 'Rejected', why: 'not-approved', evidence: details.evidence };

  const created = await client.call('CreateBillingAgreement', { TOKEN: token });
  if (created.kind !== 'Verdict') return created;
  // A repeat comes back as a success with a warning, or as a failure that still names the agreement.
  const reference =
    created.success || classOf(created.code) === 'duplicate' ? created.get('BILLINGAGREEMENTID') : undefined;
  if (!reference) return setupRefused(client, created);
  return {
    kind: 'CredentialIssued',
    credential: { reference, masked: mask(reference), payer: payerOf(details, payerRef) },
  };
};

const payerOf = ({ get }: NvpVerdict, payerRef?: string): { payerRef?: string; email?: string; country?: string } => {
  const [email, country] = [get('EMAIL'), get('COUNTRYCODE')];
  return { ...(payerRef ? { payerRef } : {}), ...(email ? { email } : {}), ...(country ? { country } : {}) };
};

/** What concerns us or the line, as against a refusal that concerns the payer. */
const NOT_THE_PAYER: ReadonlySet<ErrorClass | undefined> = new Set([
  'misconfigured',
  'invalid',
  'rate-limited',
  'unknown',
  'duplicate',
] as const);

const setupRefused = (client: PayPalClient, verdict: NvpVerdict): SetupCompleted => {
  const { code, evidence } = verdict;
  if (code === '10411' || code === '10201') return { kind: 'Rejected', why: 'ended', evidence };
  return NOT_THE_PAYER.has(classOf(code)) ? refused(client, verdict) : { kind: 'Rejected', why: 'refused', evidence };
};

const refused = (client: PayPalClient, { success, code, evidence }: NvpVerdict): NotExecuted | Unknown => {
  const group = classOf(code);
  if (success || group === 'unknown' || group === 'duplicate')
    return { kind: 'Unknown', since: client.now().toISOString(), evidence };
  if (group === 'rate-limited') return { kind: 'NotExecuted', why: 'rateLimited', evidence };
  return { kind: 'NotExecuted', why: group === 'invalid' ? 'invalid' : 'misconfigured', evidence };
};

const describe = async (client: PayPalClient, credential: string): Promise<CredentialState> => {
  const result = await client.call('BillAgreementUpdate', { REFERENCEID: credential });
  if (result.kind !== 'Verdict') return result;
  const details = { reference: credential, masked: mask(credential), payer: payerOf(result) };
  if (result.success) {
    const active = result.get('BILLINGAGREEMENTSTATUS') === 'Active';
    return { kind: 'Described', state: active ? 'active' : 'revoked', details };
  }
  if (result.code === '10201') return { kind: 'Described', state: 'revoked', details };
  return classOf(result.code) === 'hard' ? { kind: 'Described', state: 'unknown', details } : refused(client, result);
};

const revoke = async (client: PayPalClient, credential: string): Promise<CredentialRevoked> => {
  const result = await client.call('BillAgreementUpdate', {
    REFERENCEID: credential,
    BILLINGAGREEMENTSTATUS: 'Canceled',
  });
  if (result.kind !== 'Verdict') return result;
  if (result.success) return { kind: 'Revoked', alreadyGone: false };
  return classOf(result.code) === 'hard' ? { kind: 'Revoked', alreadyGone: true } : refused(client, result);
};

/** An agreement id is enough to charge with, so people see its end only. */
const mask = (reference: string): string => `…${reference.slice(-4)}`;
