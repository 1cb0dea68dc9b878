import { type Decider, type Decision, accept, defineSchema, reject } from '@billstream/event-sourcing';
import type { Instant } from '@billstream/kernel';
import {
  type BillingRuleList,
  type BillingRules,
  billingRuleNames,
  billingRulesErrors,
  catalogRulesOf,
} from './billing-rules';
import type { Catalog, CatalogVersion } from './catalog';
import { defaultCatalog } from './default-catalog';
import { type SimplePlan, withSimplePlan } from './simple-plan';
import { additionErrors, versionErrors } from './validate-catalog';
import type { CatalogError } from './catalog-error';

export type CatalogEvent =
  | { readonly type: 'TenantRecorded'; readonly data: { readonly tenantId: string; readonly usesDefault: boolean } }
  | { readonly type: 'CatalogVersionUploaded'; readonly data: { readonly version: CatalogVersion } }
  /** The version of that effective date as it is after the plan was added. */
  | { readonly type: 'SimplePlanAdded'; readonly data: { readonly planId: string; readonly version: CatalogVersion } }
  | { readonly type: 'CatalogDeleted'; readonly data: object }
  /** All the organization's own rules from then on; none: the catalog's are in force again. */
  | { readonly type: 'BillingRulesSet'; readonly data: BillingRulesRevision }
  /** Whether versions move existing subscriptions at their next bill date instead of at once. */
  | { readonly type: 'VersionAlignmentSet'; readonly data: { readonly alignsExistingSubscriptions: boolean } }
  /** Every subscription knows what the catalog says up to that revision of its stream. */
  | { readonly type: 'CatalogFollowed'; readonly data: { readonly throughRevision: number } };

export type BillingRulesRevision = {
  /** Counted from 1. */
  readonly revision: number;
  readonly setAt: Instant;
  readonly rules: BillingRules;
};

export type TenantCatalog = {
  readonly usesDefault: boolean;
  readonly versions: Catalog;
  /** Oldest first; the last one is in force. Absent: never set. */
  readonly billingRules?: readonly BillingRulesRevision[];
  readonly alignsExistingSubscriptions?: boolean;
};

export type CatalogCommand =
  | { readonly type: 'RecordTenant'; readonly data: { readonly tenantId: string; readonly usesDefault: boolean } }
  | { readonly type: 'UploadVersion'; readonly data: { readonly version: CatalogVersion } }
  | { readonly type: 'AddSimplePlan'; readonly data: { readonly plan: SimplePlan; readonly now: Instant } }
  | { readonly type: 'DeleteCatalog'; readonly data: object }
  | { readonly type: 'SetBillingRules'; readonly data: { readonly rules: BillingRules; readonly now: Instant } }
  /** One list alone; null takes it away. */
  | {
      readonly type: 'SetBillingRuleList';
      readonly data: { readonly list: BillingRuleList; readonly rules: BillingRules | null; readonly now: Instant };
    }
  | { readonly type: 'SetVersionAlignment'; readonly data: { readonly alignsExistingSubscriptions: boolean } }
  | { readonly type: 'RecordFollowed'; readonly data: { readonly throughRevision: number } };

export type CatalogRejection =
  | {
      readonly code: 'catalog-invalid' | 'billing-rules-invalid';
      readonly detail: string;
      readonly errors: readonly CatalogError[];
    }
  | { readonly code: 'simple-plan-invalid'; readonly detail: string };

const sorted = (versions: Catalog): Catalog =>
  versions.toSorted((a, b) => (a.effectiveDate < b.effectiveDate ? -1 : 1));

const sentences = (errors: readonly CatalogError[]): string =>
  errors
    .slice(0, 5)
    .map(({ pointer, message }) => `${pointer}: ${message}`)
    .join('; ');

const invalid = (errors: readonly CatalogError[]): { readonly rejected: CatalogRejection } =>
  reject({ code: 'catalog-invalid', detail: `Invalid catalog: ${sentences(errors)}`, errors });

/** The rules in force; none of its own: an empty set. */
export const billingRulesOf = ({ billingRules }: TenantCatalog): BillingRules => billingRules?.at(-1)?.rules ?? {};

const setBillingRules = (
  state: TenantCatalog,
  rules: BillingRules,
  now: Instant,
): Decision<CatalogEvent, CatalogRejection> => {
  const errors = billingRulesErrors(rules);
  if (errors.length > 0)
    return reject({ code: 'billing-rules-invalid', detail: `Invalid billing rules: ${sentences(errors)}`, errors });
  if (JSON.stringify(rules) === JSON.stringify(billingRulesOf(state))) return accept();
  const revision = (state.billingRules?.at(-1)?.revision ?? 0) + 1;
  return accept<CatalogEvent>({ type: 'BillingRulesSet', data: { revision, setAt: now, rules } });
};

/** In the order of the lists, so that the same rules are the same text. */
const withList = (known: BillingRules, list: BillingRuleList, given: BillingRules | null): BillingRules =>
  Object.fromEntries(
    billingRuleNames.flatMap((name) => {
      const rules = name === list ? given?.[name] : known[name];
      return rules === undefined ? [] : [[name, rules]];
    }),
  );

const addSimplePlan = (
  state: TenantCatalog,
  plan: SimplePlan,
  now: Instant,
): Decision<CatalogEvent, CatalogRejection> => {
  const added = withSimplePlan(documentsOf(state), plan, now);
  if ('error' in added) return reject({ code: 'simple-plan-invalid', detail: added.error });
  const errors = versionErrors(added.version);
  if (errors.length > 0) return reject({ code: 'simple-plan-invalid', detail: sentences(errors) });
  return accept<CatalogEvent>({ type: 'SimplePlanAdded', data: { planId: plan.planId, version: added.version } });
};

const decide = (command: CatalogCommand, state: TenantCatalog): Decision<CatalogEvent, CatalogRejection> => {
  switch (command.type) {
    case 'RecordTenant':
      return accept<CatalogEvent>({ type: 'TenantRecorded', data: command.data });
    case 'UploadVersion': {
      const errors = additionErrors(state.versions, command.data.version);
      return errors.length > 0
        ? invalid(errors)
        : accept<CatalogEvent>({ type: 'CatalogVersionUploaded', data: command.data });
    }
    case 'AddSimplePlan':
      return addSimplePlan(state, command.data.plan, command.data.now);
    case 'DeleteCatalog':
      return accept<CatalogEvent>({ type: 'CatalogDeleted', data: {} });
    case 'SetBillingRules':
      return setBillingRules(state, command.data.rules, command.data.now);
    case 'SetBillingRuleList': {
      const { list, rules, now } = command.data;
      return setBillingRules(state, withList(billingRulesOf(state), list, rules), now);
    }
    case 'SetVersionAlignment':
      return (state.alignsExistingSubscriptions ?? false) === command.data.alignsExistingSubscriptions
        ? accept()
        : accept<CatalogEvent>({ type: 'VersionAlignmentSet', data: command.data });
    case 'RecordFollowed':
      return accept<CatalogEvent>({ type: 'CatalogFollowed', data: command.data });
  }
};

export const evolveCatalog = (state: TenantCatalog, event: CatalogEvent): TenantCatalog => {
  switch (event.type) {
    case 'TenantRecorded':
      return { ...state, usesDefault: event.data.usesDefault };
    case 'CatalogVersionUploaded':
      return { ...state, versions: sorted([...state.versions, event.data.version]) };
    case 'SimplePlanAdded': {
      const { version } = event.data;
      return {
        ...state,
        versions: sorted([
          ...state.versions.filter(({ effectiveDate }) => effectiveDate !== version.effectiveDate),
          version,
        ]),
      };
    }
    case 'CatalogDeleted':
      return { ...state, versions: [] };
    case 'BillingRulesSet':
      return { ...state, billingRules: [...(state.billingRules ?? []), event.data] };
    case 'VersionAlignmentSet':
      return { ...state, alignsExistingSubscriptions: event.data.alignsExistingSubscriptions };
    case 'CatalogFollowed':
      return state;
  }
};

const soldWith = (state: TenantCatalog): Catalog => {
  const own = catalogRulesOf(billingRulesOf(state));
  const aligns = state.alignsExistingSubscriptions === true ? ({ alignsExistingSubscriptions: true } as const) : {};
  return documentsOf(state).map((version) => ({ ...version, ...aligns, rules: { ...version.rules, ...own } }));
};

/** By state, which nobody changes: what is derived of a catalog's versions is kept with them as long as they are. */
const sold = new WeakMap<TenantCatalog, Catalog>();

/**
 * What the tenant sells and by which rules: its own versions, else the default catalog where the tenant may use it. An
 * organization's own rule lists stand in the place of the catalog's of the same name, in every version.
 */
export const catalogOf = (state: TenantCatalog): Catalog => {
  const known = sold.get(state);
  if (known !== undefined) return known;
  const catalog = soldWith(state);
  sold.set(state, catalog);
  return catalog;
};

/** The versions as they are in documents: the tenant's own, else the default catalog where the tenant may use it. */
export const documentsOf = ({ usesDefault, versions }: TenantCatalog): Catalog =>
  versions.length > 0 || !usesDefault ? versions : [defaultCatalog];

export const noCatalog: TenantCatalog = { usesDefault: false, versions: [] };

export const catalogDecider: Decider<CatalogCommand, CatalogEvent, TenantCatalog, CatalogRejection> = {
  initial: noCatalog,
  decide,
  evolve: evolveCatalog,
};

export const catalogStream = (tenantId: string): string => `catalog-${tenantId}`;

export const catalogSchema = defineSchema<CatalogEvent>({
  TenantRecorded: 'catalog.tenant-recorded.v1',
  CatalogVersionUploaded: 'catalog.version-uploaded.v1',
  SimplePlanAdded: 'catalog.simple-plan-added.v1',
  CatalogDeleted: 'catalog.deleted.v1',
  BillingRulesSet: 'catalog.billing-rules-set.v1',
  VersionAlignmentSet: 'catalog.version-alignment-set.v1',
  CatalogFollowed: 'catalog.followed.v1',
});
