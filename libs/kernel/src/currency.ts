import type { Brand } from './brand';

export type Currency = Brand<string, 'Currency'>;

/** ISO 4217 codes in use, by number of minor digits; BTC beside them, as Kill Bill has it. */
const codesByDigits: Readonly<Record<number, string>> = {
  0: 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF',
  2:
    'AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP ' +
    'CRC CUC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GGP GHS GIP GMD GTQ GYD HKD HNL HRK HTG HUF IDR ' +
    'ILS IMP INR IRR JEP JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK ' +
    'MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SLL ' +
    'SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST XCD YER ZAR ZMW ZWL',
  3: 'BHD IQD JOD KWD LYD OMR TND',
  4: 'CLF UYW',
  8: 'BTC',
};

const digitsByCode: ReadonlyMap<string, number> = new Map(
  Object.entries(codesByDigits).flatMap(([digits, codes]) =>
    codes.split(' ').map((code): [string, number] => [code, Number(digits)]),
  ),
);

export const parseCurrency = (text: string): Currency | null => (digitsByCode.has(text) ? (text as Currency) : null);

/** How many digits an amount has behind the point when it is settled: USD 2, KRW 0, KWD 3. */
export const minorDigits = (currency: Currency): number => {
  const digits = digitsByCode.get(currency);
  if (digits === undefined) throw new RangeError(`not a currency: ${currency}`);
  return digits;
};
