import {
  type Decider,
  type DomainEvent,
  type Rejection,
  accept,
  defineSchema,
  reject,
} from '@billstream/event-sourcing';

/** Texts that shape the invoices people read; all but the two templates are per locale. */
export type InvoiceTextKind = 'TEMPLATE' | 'MANUAL_PAY_TEMPLATE' | 'TRANSLATION' | 'CATALOG_TRANSLATION';
export type InvoiceTextKey = { readonly kind: InvoiceTextKind; readonly locale: string | null };

/** What a tenant has set for its invoices: properties by Kill Bill's names, and texts. */
export type TenantInvoicingEvent =
  | DomainEvent<'SettingsRecorded', { readonly tenantId: string; readonly settings: Readonly<Record<string, string>> }>
  | DomainEvent<'InvoiceTextUploaded', InvoiceTextKey & { readonly tenantId: string; readonly text: string }>;

export type TenantInvoicingCommand =
  | {
      readonly type: 'RecordSettings';
      readonly tenantId: string;
      readonly settings: Readonly<Record<string, string>>;
    }
  /** Refused where there is one already, unless it may be replaced. */
  | (InvoiceTextKey & {
      readonly type: 'UploadInvoiceText';
      readonly tenantId: string;
      readonly text: string;
      readonly mayReplace: boolean;
    });

export type TenantInvoicing = {
  readonly settings: Readonly<Record<string, string>>;
  /** Names of the texts there are. */
  readonly texts: readonly string[];
};

export type TenantInvoicingRejection = Rejection<'text-exists'>;

const nameOf = ({ kind, locale }: InvoiceTextKey): string => `${kind} ${locale ?? ''}`;

/** Properties that invoicing goes by; the others of the tenant are none of its business and would only be noise in its log. */
const isOurs = (name: string): boolean =>
  name.startsWith('org.killbill.invoice.') ||
  name.startsWith('billstream.invoice.') ||
  name === 'killbill.features.invoice.optimization';

const ownOf = (settings: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(settings)
      .filter(([name]) => isOurs(name))
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );

/** A stream `invoicingTenant-<tenantId>`. */
export const tenantInvoicing: Decider<
  TenantInvoicingCommand,
  TenantInvoicingEvent,
  TenantInvoicing,
  TenantInvoicingRejection
> = {
  initial: { settings: {}, texts: [] },
  decide: (command, state) => {
    const { tenantId } = command;
    if (command.type === 'RecordSettings') {
      const settings = ownOf(command.settings);
      return JSON.stringify(settings) === JSON.stringify(state.settings)
        ? accept()
        : accept({ type: 'SettingsRecorded', data: { tenantId, settings } });
    }
    const { kind, locale, text, mayReplace } = command;
    if (!mayReplace && state.texts.includes(nameOf(command))) return reject({ code: 'text-exists' });
    return accept({ type: 'InvoiceTextUploaded', data: { tenantId, kind, locale, text } });
  },
  evolve: (state, { type, data }) => {
    switch (type) {
      case 'SettingsRecorded':
        return { ...state, settings: data.settings };
      case 'InvoiceTextUploaded':
        return { ...state, texts: [...state.texts.filter((name) => name !== nameOf(data)), nameOf(data)] };
    }
  },
};

export const tenantInvoicingStreams = 'invoicingTenant-';
export const tenantInvoicingStream = (tenantId: string): string => `${tenantInvoicingStreams}${tenantId}`;

export const tenantInvoicingSchema = defineSchema<TenantInvoicingEvent>({
  SettingsRecorded: 'invoicingTenant.settings-recorded.v1',
  InvoiceTextUploaded: 'invoicingTenant.invoice-text-uploaded.v1',
});
