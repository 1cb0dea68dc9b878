import { type Decider, type Decision, accept, defineSchema, reject } from '@billstream/event-sourcing';
import type { Instant } from '@billstream/kernel';
import type { Catalog, CatalogVersion } from './catalog';
import { defaultCatalog } from './default-catalog';
import { type SimplePlan, withSimplePlan } from './simple-plan';
import { additionErrors, versionErrors } from './validate-catalog';

export type CatalogEvent =
  | { readonly type: 'TenantRecorded'; readonly data: { readonly tenantId: string; readonly usesDefault: boolean } }
  | { readonly type: 'CatalogVersionUploaded'; readonly data: { readonly version: CatalogVersion } }
  /** The version of that effective date as it is after the plan was added. */
  | { readonly type: 'SimplePlanAdded'; readonly data: { readonly planId: string; readonly version: CatalogVersion } }
  | { readonly type: 'CatalogDeleted'; readonly data: object };

export type TenantCatalog = { readonly usesDefault: boolean; readonly versions: Catalog };

export type CatalogCommand =
  | { readonly type: 'RecordTenant'; readonly data: { readonly tenantId: string; readonly usesDefault: boolean } }
  | { readonly type: 'UploadVersion'; readonly data: { readonly version: CatalogVersion } }
  | { readonly type: 'AddSimplePlan'; readonly data: { readonly plan: SimplePlan; readonly now: Instant } }
  | { readonly type: 'DeleteCatalog'; readonly data: object };

export type CatalogRejection =
  | { readonly code: 'catalog-invalid'; readonly detail: string; readonly errors: readonly string[] }
  | { readonly code: 'simple-plan-invalid'; readonly detail: string };

const sorted = (versions: Catalog): Catalog =>
  versions.toSorted((a, b) => (a.effectiveDate < b.effectiveDate ? -1 : 1));

const invalid = (errors: readonly string[]): { readonly rejected: CatalogRejection } =>
  reject({ code: 'catalog-invalid', detail: `Invalid catalog: ${errors.slice(0, 5).join('; ')}`, errors });

const addSimplePlan = (
  state: TenantCatalog,
  plan: SimplePlan,
  now: Instant,
): Decision<CatalogEvent, CatalogRejection> => {
  const added = withSimplePlan(catalogOf(state), plan, now);
  if ('error' in added) return reject({ code: 'simple-plan-invalid', detail: added.error });
  const errors = versionErrors(added.version);
  if (errors.length > 0) return reject({ code: 'simple-plan-invalid', detail: errors.join('; ') });
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
  }
};

/** What the tenant sells: its own versions, else the default catalog where the tenant may use it. */
export const catalogOf = ({ usesDefault, versions }: TenantCatalog): Catalog =>
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
});
