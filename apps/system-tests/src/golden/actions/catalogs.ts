import { type CatalogVersion, catalogDocument } from '../catalog-document';
import type { Stage } from '../stage';
import type { Action } from './action';

export const upload = async (stage: Stage, version: CatalogVersion): Promise<void> => {
  await stage.requests.send('POST', '/catalog/xml', { type: 'text/xml', body: catalogDocument(version) });
};

const uploadCatalog: Action<{ readonly catalogVersion: string }> = async (stage, { catalogVersion }) => {
  const version = stage.catalog.versions.find(({ source }) => source.endsWith(`/${catalogVersion}`));
  if (version === undefined) throw new Error(`${stage.catalog.name} has no version ${catalogVersion}`);
  await upload(stage, version);
};

export const catalogActions = { uploadCatalog };
