import { invoiceText } from '@billstream/invoicing-read-models';
import { TemplateFault } from '../html/mustache';
import type { Invoicing } from '../invoicing';
import { invalidValue } from './problems';

export const defaultLocale = 'en_US';

/** What locales look like: a language, and a country where it matters. Null: it is none. */
export const knownLocale = (text: string): string | null =>
  /^[a-z]{2,3}([_-][A-Za-z0-9]{2,8})*$/.test(text) ? text.replaceAll('-', '_') : null;

export const localeFrom = (text: string): string => {
  const locale = knownLocale(text);
  if (locale === null) throw invalidValue(`locale: not a locale: ${text}`);
  return locale;
};

/** It is uploaded without a locale, so the one of the default locale serves all that have none of their own. */
export const manualPayTemplate = async (
  { runtime }: Invoicing,
  tenantId: string,
  locale: string,
): Promise<string | null> => {
  const kind = 'MANUAL_PAY_TEMPLATE';
  const own = await invoiceText(runtime.database, tenantId, { kind, locale });
  return own ?? invoiceText(runtime.database, tenantId, { kind, locale: defaultLocale });
};

/** What a template makes, or why it makes nothing. */
export const readable = <Made>(make: () => Made): Made => {
  try {
    return make();
  } catch (error) {
    if (error instanceof TemplateFault) throw invalidValue(`the template cannot be read: ${error.message}`);
    throw error;
  }
};
