import { parsePayPalConfig } from './paypal-config';

describe('the uploaded PayPal configuration', () => {
  it('is read in the shape of the guide, against the sandbox unless told otherwise', () => {
    expect(
      parsePayPalConfig(':paypal_express:\n  :signature: sig\n  :login: me_api1.example.com\n  :password: 0070'),
    ).toEqual({
      signature: 'sig',
      login: 'me_api1.example.com',
      password: '0070',
      test: true,
    });
  });

  it('takes the placeholders of the guide as they stand', () => {
    const text =
      ':paypal_express:\n  :signature: <paypal signature>\n  :login: <paypal login>\n  :password: <paypal password>';
    expect(parsePayPalConfig(text)).toMatchObject({ login: '<paypal login>' });
  });

  it('reads :test: as a truth value only', () => {
    const of = (test: string) =>
      parsePayPalConfig(`:paypal_express:\n  :signature: s\n  :login: l\n  :password: p\n  :test: ${test}`);
    expect(of('false')).toMatchObject({ test: false });
    expect(of('maybe')).toEqual({ problem: ':test: is not true or false' });
  });

  it.each([
    ['', 'the configuration is not a YAML mapping'],
    ['a: [', 'the configuration is not a YAML mapping'],
    [':other:\n  :login: l', ':paypal_express: is missing or not a mapping'],
    [':paypal_express:\n  :login: l\n  :password: secret-word', ':signature: is missing'],
  ])('is refused when it is %j, without quoting a value', (text, problem) => {
    expect(parsePayPalConfig(text)).toEqual({ problem });
  });
});
