export type {
  ActionRequired,
  BeginSetup,
  Charge,
  CompleteSetup,
  CredentialDetails,
  CredentialRevoked,
  CredentialState,
  Declined,
  Evidence,
  FetchByRef,
  Fetched,
  GatewayFact,
  Money,
  NotExecuted,
  Outcome,
  PaymentGateway,
  Pending,
  Refund,
  SetupCompleted,
  SetupStarted,
  Succeeded,
  Unknown,
} from './gateway-port';
export { parsePayPalConfig, type PayPalConfig } from './paypal/paypal-config';
export { payPalGateway, type PayPalGatewayOptions } from './paypal/paypal-gateway';
export type { SearchTrust } from './paypal/paypal-client';
export type { PayPalCredentials } from './paypal/nvp-client';
export { fromWireAmount, isoMinorDigits, toWireAmount, type MinorDigits } from './wire-amount';
