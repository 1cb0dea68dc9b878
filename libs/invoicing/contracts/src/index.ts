export type { InvoicingEvent } from './events';
