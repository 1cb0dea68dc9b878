import { randomUUID } from 'node:crypto';

export type Merchant = {
  nvp(method: string, fields?: Readonly<Record<string, string>>): Promise<Readonly<Record<string, string>>>;
  control(path: string, body?: unknown): Promise<Record<string, unknown>>;
  read(path: string): Promise<Record<string, unknown>>;
  token(fields?: Readonly<Record<string, string>>): Promise<string>;
  agreement(): Promise<string>;
  pay(agreement: string, fields?: Readonly<Record<string, string>>): Promise<Readonly<Record<string, string>>>;
};

/** A client of its own and not the product's adapter: a mistake both shared would cancel out. */
export const merchantAt = (url: string, login = 'shop@example.com'): Merchant => {
  const nvp: Merchant['nvp'] = async (method, fields = {}) => {
    const credentials = { USER: login, PWD: 'password', SIGNATURE: 'signature', VERSION: '204' };
    const body = new URLSearchParams({ METHOD: method, ...credentials, ...fields });
    const response = await fetch(`${url}/nvp`, { method: 'POST', body });
    return Object.fromEntries(new URLSearchParams(await response.text()));
  };
  const control: Merchant['control'] = async (path, body = {}) => {
    const response = await fetch(`${url}/control/${path}`, { method: 'POST', body: JSON.stringify(body) });
    return (await response.json()) as Record<string, unknown>;
  };
  const token: Merchant['token'] = async (fields = {}) => {
    const answer = await nvp('SetExpressCheckout', {
      RETURNURL: 'https://dev.nexclipper.com/checkout?q=SUCCESS',
      CANCELURL: 'https://dev.nexclipper.com/checkout?q=FAILURE',
      PAYMENTREQUEST_0_AMT: '0',
      PAYMENTREQUEST_0_CURRENCYCODE: 'USD',
      L_BILLINGTYPE0: 'MerchantInitiatedBilling',
      L_BILLINGAGREEMENTDESCRIPTION0: 'Your subscription',
      ...fields,
    });
    return answer['TOKEN'] ?? '';
  };
  return {
    nvp,
    control,
    token,
    read: async (path) => (await (await fetch(`${url}/control/${path}`)).json()) as Record<string, unknown>,
    agreement: async () => {
      const TOKEN = await token();
      await control('paypal/approve', { token: TOKEN });
      return (await nvp('CreateBillingAgreement', { TOKEN }))['BILLINGAGREEMENTID'] ?? '';
    },
    pay: (agreement, fields = {}) =>
      nvp('DoReferenceTransaction', {
        REFERENCEID: agreement,
        PAYMENTACTION: 'Sale',
        AMT: '20.00',
        CURRENCYCODE: 'USD',
        INVNUM: `inv-${randomUUID()}`,
        MSGSUBID: randomUUID(),
        ...fields,
      }),
  };
};
