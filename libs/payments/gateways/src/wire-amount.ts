import type { Money } from './gateway-port';

/** How many digits a currency has behind the point. The platform's scale and a provider's may differ: HUF is one case. */
export type MinorDigits = (currency: string) => number;

const WITHOUT_FRACTION = new Set('BIF CLP DJF GNF JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF ISK'.split(' '));
const WITH_THREE = new Set('BHD IQD JOD KWD LYD OMR TND'.split(' '));

export const isoMinorDigits: MinorDigits = (currency) => {
  if (WITHOUT_FRACTION.has(currency)) return 0;
  return WITH_THREE.has(currency) ? 3 : 2;
};

export type Scales = { readonly platform: MinorDigits; readonly wire: MinorDigits };

/** Exact or nothing: an amount the provider cannot write is never rounded into one it can. */
export const toWireAmount = ({ minor, currency }: Money, scales: Scales): string | undefined => {
  if (!Number.isSafeInteger(minor) || minor < 0) return undefined;
  const digits = scales.wire(currency);
  const scaled = rescale(minor, scales.platform(currency), digits);
  if (scaled === undefined) return undefined;
  const text = String(scaled).padStart(digits + 1, '0');
  const whole = text.slice(0, text.length - digits);
  return digits === 0 ? whole : `${whole}.${text.slice(-digits)}`;
};

/** Reads a decimal of any precision into the platform's minor units; the sign is kept. */
export const fromWireAmount = (text: string, currency: string, platform: MinorDigits): Money | undefined => {
  const match = /^(-?)(\d{1,12})(?:\.(\d{1,6}))?$/.exec(text);
  if (!match || !/^[A-Z]{3}$/.test(currency)) return undefined;
  const [, sign, whole = '', fraction = ''] = match;
  const minor = rescale(Number(whole + fraction), fraction.length, platform(currency));
  // `0 - minor` would do for all but zero, and -0 is not equal to 0 everywhere.
  return minor === undefined ? undefined : { minor: sign && minor > 0 ? -minor : minor, currency };
};

const rescale = (value: number, from: number, to: number): number | undefined => {
  const scaled = to >= from ? value * 10 ** (to - from) : value / 10 ** (from - to);
  return Number.isSafeInteger(scaled) ? scaled : undefined;
};
