export type {
  ActionRequired,
  BeginSetup,
  Capture,
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
  Notification,
  Outcome,
  PaymentGateway,
  Pending,
  Refund,
  SetupCompleted,
  SetupStarted,
  Succeeded,
  Unknown,
  VoidAuthorization,
} from './gateway-port';
export { paymentTestGateway, paymentTestSleepSecondsMax } from './payment-test/payment-test-gateway';
export type { PaymentTestBehaviour, PaymentTestMethod } from './payment-test/payment-test-gateway';
export { parsePayPalConfig, type PayPalConfig } from './paypal/paypal-config';
export { payPalGateway, type PayPalGatewayOptions } from './paypal/paypal-gateway';
export type { SearchTrust } from './paypal/paypal-client';
export type { PayPalCredentials } from './paypal/nvp-client';
export { fromWireAmount, isoMinorDigits, toWireAmount, type MinorDigits } from './wire-amount';
