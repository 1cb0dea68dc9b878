import { type CatalogVersion, catalogDocument } from '../catalog-document';
import type { Figure } from '../case-file';
import { type Stage, accountOf } from '../stage';
import type { Action } from './action';
import { amount } from './plan-choice';

export const upload = async (stage: Stage, version: CatalogVersion): Promise<void> => {
  await stage.requests.send('POST', '/catalog/xml', { type: 'text/xml', body: catalogDocument(version) });
};

const uploadCatalog: Action<{ readonly catalogVersion: string }> = async (stage, { catalogVersion }) => {
  const version = stage.catalog.versions.find(({ source }) => source.endsWith(`/${catalogVersion}`));
  if (version === undefined) throw new Error(`${stage.catalog.name} has no version ${catalogVersion}`);
  await upload(stage, version);
};

type SimplePlan = {
  readonly plan: string;
  readonly product: string;
  readonly amount: Figure;
  readonly billingPeriod: string;
  readonly trialLength: number;
  readonly trialTimeUnit: string;
};

const addSimplePlan: Action<SimplePlan> = async (stage, { plan, product, ...terms }) => {
  await stage.requests.send('POST', '/catalog/simplePlan', {
    body: {
      planId: plan,
      productName: product,
      productCategory: 'BASE',
      currency: accountOf(stage).currency,
      ...terms,
      amount: amount(terms.amount),
    },
  });
};

export const catalogActions = { uploadCatalog, addSimplePlan };
