import axios, { AxiosError, type AxiosResponse } from 'axios';
import * as killbill from 'killbill';
import type { Tenant } from '../system';

const apis = {
  account: killbill.AccountApi,
  admin: killbill.AdminApi,
  bundle: killbill.BundleApi,
  catalog: killbill.CatalogApi,
  credit: killbill.CreditApi,
  customField: killbill.CustomFieldApi,
  export: killbill.ExportApi,
  invoice: killbill.InvoiceApi,
  invoiceItem: killbill.InvoiceItemApi,
  invoicePayment: killbill.InvoicePaymentApi,
  nodesInfo: killbill.NodesInfoApi,
  overdue: killbill.OverdueApi,
  payment: killbill.PaymentApi,
  paymentGateway: killbill.PaymentGatewayApi,
  paymentMethod: killbill.PaymentMethodApi,
  paymentTransaction: killbill.PaymentTransactionApi,
  pluginInfo: killbill.PluginInfoApi,
  security: killbill.SecurityApi,
  subscription: killbill.SubscriptionApi,
  tag: killbill.TagApi,
  tagDefinition: killbill.TagDefinitionApi,
  tenant: killbill.TenantApi,
  usage: killbill.UsageApi,
} as const;

export type OfficialClient = { readonly [Name in keyof typeof apis]: InstanceType<(typeof apis)[Name]> };

/** Every method of the client, as `AccountApi.createAccount`. Also of an API that the client may have some day and we lack. */
export const methodsOfClient = (): readonly string[] =>
  Object.entries(killbill)
    .filter(([name, api]) => /Api$/.test(name) && typeof api === 'function' && 'prototype' in api)
    .flatMap(([name, api]) =>
      Object.getOwnPropertyNames((api as { readonly prototype: object }).prototype)
        .filter((method) => method !== 'constructor')
        .map((method) => `${name}.${method}`),
    );

/** The client's own object, which notes what is called of it. */
const noted = <T extends object>(api: T, name: string, called: Set<string>): T =>
  new Proxy(api, {
    get: (target, property, receiver) => {
      const value: unknown = Reflect.get(target, property, receiver);
      if (typeof value === 'function') called.add(`${name}.${String(property)}`);
      return value;
    },
  });

export type Connection = {
  readonly url: string;
  readonly tenant: Tenant;
  readonly called: Set<string>;
  /** Whether it asks a Location at once for what was made, as its interceptor does when it is put in. */
  readonly follows?: boolean;
};

/** Axios says no more than the status; a failed test wants to know what was answered. */
const telling = (error: unknown): never => {
  if (error instanceof AxiosError) {
    const { config, response } = error;
    const answer = JSON.stringify(response?.data ?? null).slice(0, 400);
    error.message = `${String(config?.method)} ${String(config?.url)} answered ${String(response?.status)} ${answer}`;
  }
  throw error;
};

/** As its README says to make it: Basic login, the tenant's two headers, and the interceptor that follows Locations. */
export const officialClient = ({ url, tenant, called, follows = true }: Connection): OfficialClient => {
  const transport = axios.create({ timeout: 60_000 });
  if (follows) transport.interceptors.response.use(killbill.followLocationHeaderInterceptor);
  transport.interceptors.response.use(undefined, telling);
  const configuration = new killbill.Configuration({
    username: 'admin',
    password: 'password',
    apiKey: killbill.apiKey(tenant.apiKey, tenant.apiSecret),
    basePath: url,
  });
  const made = Object.entries(apis).map(([name, Api]) => [
    name,
    noted(new Api(configuration, undefined, transport), Api.name, called),
  ]);
  return Object.fromEntries(made) as OfficialClient;
};

/** Status and Kill Bill's error code of a call that must be refused. Throws when it is taken. */
export const refusal = async (
  call: Promise<AxiosResponse>,
): Promise<readonly [status: number, code: number | null]> => {
  const taken = await call.catch((error: unknown) => {
    if (error instanceof AxiosError && error.response !== undefined) return error.response;
    throw error;
  });
  if (taken.status < 400) throw new Error(`${String(taken.config.url)} was taken: ${String(taken.status)}`);
  const body = taken.data as { readonly code?: number | null } | '';
  return [taken.status, body === '' ? null : (body.code ?? null)];
};
