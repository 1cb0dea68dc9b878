import { minorDigits, parseCurrency } from '@billstream/kernel';
import { type TestGateway, payPalPlugin, paymentTestPlugin, testGatewayModeOf } from '@billstream/payments-domain';
import {
  type PaymentGateway,
  type PayPalConfig,
  parsePayPalConfig,
  paymentTestGateway,
  payPalGateway,
} from '@billstream/payments-gateways';
import { sealedConfigOf } from '@billstream/payments-read-models';
import { open } from '@billstream/secrets';
import type { ServiceRuntime } from '@billstream/service-runtime';
import { setTimeout as sleep } from 'node:timers/promises';
import { soon } from './soon';

/** A provider that cannot be called, in one sentence for whoever can mend it. Never names a credential's value. */
export type GatewayProblem = { readonly problem: string };
export type GatewayOf = (tenantId: string, pluginName: string) => Promise<PaymentGateway | GatewayProblem>;

const sandbox = {
  endpoint: 'https://api-3t.sandbox.paypal.com/nvp',
  redirectUrl: 'https://www.sandbox.paypal.com/cgi-bin/webscr',
};
const live = { endpoint: 'https://api-3t.paypal.com/nvp', redirectUrl: 'https://www.paypal.com/cgi-bin/webscr' };

/** The emulator answers at once or never, and its records have no lag unless a test says so. */
const emulated = { timeoutMs: 5_000, search: { minAgeSeconds: 0, giveUpSeconds: 0 } } as const;

const platformDigits = (text: string): number => {
  const currency = parseCurrency(text);
  return currency === null ? 2 : minorDigits(currency);
};

/** Money that moves nowhere is for systems that bill nobody. */
export const hasTestPlugin = ({ settings }: ServiceRuntime): boolean => settings.testClock || settings.embedded;

/** `testGatewayOf`: how the tenant's test plugin has been told to answer. */
export const gatewaysOn = (
  runtime: ServiceRuntime,
  testGatewayOf: (tenantId: string) => Promise<TestGateway>,
): GatewayOf => {
  const { settings, database } = runtime;
  return async (tenantId, pluginName) => {
    if (pluginName === paymentTestPlugin && hasTestPlugin(runtime)) return toldBy(() => testGatewayOf(tenantId));
    if (pluginName !== payPalPlugin) return { problem: `Payment plugin ${pluginName} cannot charge` };
    if (settings.payPalMode === 'emulator') return emulatedPayPal(settings.emulatorUrl, tenantId);
    const sealed = await soon(() => sealedConfigOf(database, tenantId, pluginName));
    if (sealed === null) return { problem: `The tenant has no configuration of ${pluginName}: upload it first` };
    const config = parsePayPalConfig(open(settings.secretsKey, sealed, `${tenantId}/${pluginName}`));
    if ('problem' in config) return { problem: `The tenant's configuration of ${pluginName}: ${config.problem}` };
    return realPayPal(config, settings.payPalMode === 'live' && !config.test);
  };
};

const toldBy = (stateNow: () => Promise<TestGateway>): PaymentGateway =>
  paymentTestGateway({
    behaviourOf: async (method) => testGatewayModeOf(await stateNow(), method),
    minorDigits: platformDigits,
    now: () => new Date(),
    sleep: (ms) => sleep(ms),
  });

/** The emulator takes any credentials and keeps what it is sent, so it gets a name of ours and never the tenant's own. */
const emulatedPayPal = (url: string, tenantId: string): PaymentGateway =>
  payPalGateway({
    endpoint: `${url}/nvp`,
    redirectUrl: `${url}/cgi-bin/webscr`,
    credentials: { login: `tenant-${tenantId}`, password: 'emulated', signature: 'emulated' },
    minorDigits: platformDigits,
    ...emulated,
  });

const realPayPal = ({ login, password, signature }: PayPalConfig, isLive: boolean): PaymentGateway =>
  payPalGateway({
    ...(isLive ? live : sandbox),
    credentials: { login, password, signature },
    minorDigits: platformDigits,
  });
