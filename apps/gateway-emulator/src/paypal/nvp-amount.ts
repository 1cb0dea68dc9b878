/** Currencies PayPal takes, with the digits it wants on the wire; note that HUF and TWD have none here. */
const WITH_CENTS = new Set(
  'AUD BRL CAD CHF CNY CZK DKK EUR GBP HKD ILS INR MXN MYR NOK NZD PHP PLN RUB SEK SGD THB USD'.split(' '),
);
const WHOLE = new Set(['HUF', 'JPY', 'TWD']);

const AMOUNT_CHARACTERS_MAX = 10;

export const wireDigits = (currency: string): number | undefined => {
  if (WHOLE.has(currency)) return 0;
  return WITH_CENTS.has(currency) ? 2 : undefined;
};

/** Minor units, or nothing when PayPal would not read the text as an amount in this currency. */
export const parseAmount = (text: string, digits: number): number | undefined => {
  const pattern = digits === 0 ? /^\d+$/ : /^\d+(\.\d{2})?$/;
  if (text.length > AMOUNT_CHARACTERS_MAX || !pattern.test(text)) return undefined;
  const [whole = '0', fraction = ''] = text.split('.');
  return Number(whole + fraction.padEnd(digits, '0'));
};

export const formatAmount = (minor: number, digits: number): string => {
  const text = String(Math.abs(minor)).padStart(digits + 1, '0');
  const cut = text.length - digits;
  return `${minor < 0 ? '-' : ''}${text.slice(0, cut)}${digits > 0 ? `.${text.slice(cut)}` : ''}`;
};

/** A plausible fee, 2.9 % and a fixed part, so that fee booking has something to book. */
export const feeOf = (minor: number, digits: number): number =>
  Math.min(minor, Math.round((minor * 29) / 1000) + (digits === 0 ? 40 : 30));
