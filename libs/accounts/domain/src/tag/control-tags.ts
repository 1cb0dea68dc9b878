import type { ControlTag, TaggableObjectType } from '@billstream/accounts-contracts';

/** Kill Bill's ObjectType: all kinds of things that a tag definition may say it is for. */
export const objectTypes = [
  'ACCOUNT',
  'ACCOUNT_EMAIL',
  'BLOCKING_STATES',
  'BUNDLE',
  'CUSTOM_FIELD',
  'INVOICE',
  'INVOICE_ITEM',
  'INVOICE_PAYMENT',
  'PAYMENT',
  'PAYMENT_ATTEMPT',
  'PAYMENT_METHOD',
  'REFUND',
  'SERVICE_BROADCAST',
  'SUBSCRIPTION',
  'SUBSCRIPTION_EVENT',
  'TAG',
  'TAG_DEFINITION',
  'TENANT',
  'TENANT_KVS',
  'TRANSACTION',
] as const;
export type ObjectType = (typeof objectTypes)[number];

/** What a tag can be made of. Control tags exist in every tenant, the others are a tenant's own. */
export type TagDefinition = {
  readonly tagDefinitionId: string;
  readonly name: string;
  readonly description: string;
  readonly isControlTag: boolean;
  readonly applicableObjectTypes: readonly ObjectType[];
};

type ControlTagDefinition = TagDefinition & { readonly name: ControlTag };

const controlTag = (
  number: number,
  name: ControlTag,
  description: string,
  objectType: TaggableObjectType & ObjectType = 'ACCOUNT',
): ControlTagDefinition => ({
  tagDefinitionId: `00000000-0000-0000-0000-00000000000${number}`,
  name,
  description,
  isControlTag: true,
  applicableObjectTypes: [objectType],
});

/** Ids, names and object types are Kill Bill's (ControlTagType, 0.24): clients know them by heart. */
export const controlTags: readonly ControlTagDefinition[] = [
  controlTag(1, 'AUTO_PAY_OFF', 'No payment is made on its own until the tag is taken off'),
  controlTag(2, 'AUTO_INVOICING_OFF', 'No invoice is made until the tag is taken off'),
  controlTag(3, 'OVERDUE_ENFORCEMENT_OFF', 'Overdue states have no effect until the tag is taken off'),
  controlTag(4, 'WRITTEN_OFF', 'The invoice is written off: nobody expects it to be paid', 'INVOICE'),
  controlTag(5, 'MANUAL_PAY', 'Payments are made outside of the platform and recorded here'),
  controlTag(6, 'TEST', 'An account for trying things out'),
  controlTag(7, 'PARTNER', 'An account of a partner'),
  controlTag(8, 'AUTO_INVOICING_DRAFT', 'Invoices are made as drafts'),
  controlTag(9, 'AUTO_INVOICING_REUSE_DRAFT', 'A draft invoice that exists takes up what is new'),
];

/** Set by the platform alone (Kill Bill's system tag of a parked account). */
export const parkTagId = '00000000-0000-0001-0000-000000000001';
export const parkTagName = '__PARK__';
const reservedNames: ReadonlySet<string> = new Set([...controlTags.map(({ name }) => name), parkTagName]);

export const isReservedName = (name: string): boolean => reservedNames.has(name.toUpperCase());

/** The control tag of a definition's id; null: a tenant's own. */
export const controlTagOf = (tagDefinitionId: string): ControlTagDefinition | null =>
  controlTags.find((known) => known.tagDefinitionId === tagDefinitionId) ?? null;
