import type { InvoiceItem } from '@billstream/invoicing-domain';
import type { InvoiceView } from '@billstream/invoicing-read-models';
import { type Currency, formatMoney, money } from '@billstream/kernel';
import { fillTemplate } from './mustache';

const words: Readonly<Record<string, string>> = {
  invoiceTitle: 'INVOICE',
  invoiceDate: 'Date:',
  invoiceNumber: 'Invoice #',
  accountOwnerName: 'Account',
  invoiceItemServicePeriod: 'Service period',
  invoiceItemDescription: 'Description',
  invoiceItemAmount: 'Amount',
  invoiceAmount: 'Charged',
  invoiceCredit: 'Credit',
  invoiceAmountPaid: 'Paid',
  invoiceBalance: 'Balance',
};

/** What an invoice looks like where a tenant has uploaded no template of its own. */
const page = `<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>{{text.invoiceTitle}} {{invoice.invoiceNumber}}</title></head>
<body>
<h1>{{text.invoiceTitle}}</h1>
<table>
<tr><td>{{text.invoiceDate}}</td><td>{{invoice.formattedInvoiceDate}}</td></tr>
<tr><td>{{text.invoiceNumber}}</td><td>{{invoice.invoiceNumber}}</td></tr>
<tr><td>{{text.accountOwnerName}}</td><td>{{account.name}}{{^account.name}}{{account.accountId}}{{/account.name}}</td></tr>
</table>
<table>
<tr><th>{{text.invoiceItemServicePeriod}}</th><th>{{text.invoiceItemDescription}}</th><th>{{text.invoiceItemAmount}}</th></tr>
{{#invoice.invoiceItems}}
<tr><td>{{formattedStartDate}}{{#formattedEndDate}} - {{formattedEndDate}}{{/formattedEndDate}}</td><td>{{description}}</td><td>{{formattedAmount}}</td></tr>
{{/invoice.invoiceItems}}
<tr><td></td><td>{{text.invoiceAmount}}</td><td>{{invoice.formattedChargedAmount}}</td></tr>
<tr><td></td><td>{{text.invoiceCredit}}</td><td>{{invoice.formattedCreditAmount}}</td></tr>
<tr><td></td><td>{{text.invoiceAmountPaid}}</td><td>{{invoice.formattedPaidAmount}}</td></tr>
<tr><td></td><td><strong>{{text.invoiceBalance}}</strong></td><td><strong>{{invoice.formattedBalance}}</strong></td></tr>
</table>
</body>
</html>
`;

/** Lines of a properties text: `name = words`; lines that begin with # or ! are comments. */
export const propertiesFrom = (text: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    text.split(/\r?\n/).flatMap((line) => {
      const mark = line.search(/[=:]/);
      const name = line.slice(0, Math.max(0, mark)).trim();
      return name === '' || /^[#!]/.test(name) ? [] : [[name, line.slice(mark + 1).trim()]];
    }),
  );

/** What a tenant uploaded for its invoices; null where it uploaded nothing. */
export type InvoiceTexts = {
  readonly template: string | null;
  readonly translation: string | null;
  /** Names of products, plans and phases as people read them, by their names in the catalog. */
  readonly catalogTranslation: string | null;
};

/** Whose invoice it is: what accounts tell of them (name, e-mail, address …), under the names of Kill Bill's Account JSON. */
export type Owner = { readonly accountId: string; readonly [field: string]: unknown };

const amountIn =
  (currency: Currency) =>
  (minor: number | bigint): string =>
    `${formatMoney(money(Number(minor), currency))} ${currency}`;

type Describe = (item: InvoiceItem) => string | null;

const itemData = (item: InvoiceItem, currency: Currency, { describe, names }: Readers) => {
  const name = item.planName ?? item.productName;
  return {
    ...item,
    planName: name === null ? '' : (names[name] ?? name),
    description: names[item.phaseName ?? ''] ?? names[item.planName ?? ''] ?? describe(item) ?? '',
    formattedStartDate: item.startDate,
    formattedEndDate: item.endDate === item.startDate ? null : item.endDate,
    formattedAmount: amountIn(currency)(item.amountMinor),
  };
};

type Readers = { readonly describe: Describe; readonly names: Readonly<Record<string, string>> };

/**
 * An invoice as a page that people read: the tenant's template and words, or those that are built in. A template is
 * Mustache: `invoice`, `invoice.invoiceItems`, `account` and `text`.
 */
export const invoicePage = (
  invoice: InvoiceView,
  owner: Owner,
  { texts, describe }: { readonly texts: InvoiceTexts; readonly describe: Describe },
): string => {
  const names = texts.catalogTranslation === null ? {} : propertiesFrom(texts.catalogTranslation);
  const { currency } = invoice;
  const amount = amountIn(currency);
  const paidMinor = invoice.amountMinor + invoice.creditMinor - invoice.balanceMinor;
  return fillTemplate(texts.template ?? page, {
    text: { ...words, ...(texts.translation === null ? {} : propertiesFrom(texts.translation)) },
    account: owner,
    invoice: {
      invoiceId: invoice.invoiceId,
      invoiceNumber: invoice.invoiceNumber,
      status: invoice.status,
      currency,
      formattedInvoiceDate: invoice.invoiceDate,
      formattedTargetDate: invoice.targetDate,
      formattedChargedAmount: amount(invoice.amountMinor),
      formattedCreditAmount: amount(invoice.creditMinor),
      formattedPaidAmount: amount(invoice.status === 'COMMITTED' ? paidMinor : 0n),
      formattedBalance: amount(invoice.balanceMinor),
      invoiceItems: invoice.items.map((item) => itemData(item, currency, { describe, names })),
    },
  });
};
