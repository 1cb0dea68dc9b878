import { type SimplePlan, SimplePlanBillingPeriodEnum, SimplePlanProductCategoryEnum } from 'killbill';
import { goldenCatalog } from '../golden/case-file';
import { catalogDocument } from '../golden/catalog-document';
import { refusal } from './client';
import { type Shop, by, openShop } from './shop';

const named = (list: unknown): readonly (string | undefined)[] =>
  (list as readonly { readonly name?: string }[]).map(({ name }) => name);

export const catalog = (shop: () => Shop): void => {
  it('reads the catalog back, as JSON, as XML, and by version', async () => {
    const { kb } = shop();
    const { data } = await kb.catalog.getCatalogJson();
    const [version] = data as unknown as readonly { readonly name: string; readonly products: unknown }[];
    expect(version?.name).toBe('Firearms');
    expect(named(version?.products)).toEqual(expect.arrayContaining(['Pistol', 'Shotgun', 'Bullets']));
    expect((await kb.catalog.getCatalogXml()).data).toContain('<catalogName>Firearms</catalogName>');
    expect((await kb.catalog.getCatalogVersions()).data).toEqual(['2011-01-01T00:00:00.000Z']);
  });

  it('validates a document without taking it', async () => {
    const { kb } = shop();
    const [version] = goldenCatalog('default').versions;
    const next = { ...version!, effectiveDate: '2027-01-01T00:00:00Z' };
    const valid = await kb.catalog.validateCatalogXml(catalogDocument(next), by);
    expect([valid.status, valid.data]).toEqual([200, expect.objectContaining({ catalogValidationErrors: [] })]);
    const broken = catalogDocument({ ...next, products: [] });
    const { data } = await kb.catalog.validateCatalogXml(broken, by);
    expect(data.catalogValidationErrors?.length).toBeGreaterThan(0);
    expect(await refusal(kb.catalog.uploadCatalogXml(broken, by))).toEqual([400, 2080]);
  });

  it('lists what may be bought', async () => {
    const { kb } = shop();
    const plans = (found: { data: unknown }) => (found.data as { plan: string }[]).map(({ plan }) => plan);
    expect(plans(await kb.catalog.getAvailableBasePlans())).toEqual(expect.arrayContaining(['shotgun-monthly']));
    expect(plans(await kb.catalog.getAvailableAddons('Shotgun'))).toEqual(
      expect.arrayContaining(['telescopic-scope-monthly', 'bullets-usage-in-arrear']),
    );
  });

  it('says what a subscription was on at a date', async () => {
    const { kb, customer, subscribe } = shop();
    const { subscriptionId = '' } = await subscribe(await customer(), 'shotgun-monthly');
    const at = [subscriptionId, '2026-03-02'] as const;
    const found = await Promise.all([
      kb.catalog.getPlanForSubscriptionAndDate(...at),
      kb.catalog.getProductForSubscriptionAndDate(...at),
      kb.catalog.getPriceListForSubscriptionAndDate(...at),
    ]);
    expect(named(found.map(({ data }) => data))).toEqual(['shotgun-monthly', 'Shotgun', 'DEFAULT']);
    expect((await kb.catalog.getPhaseForSubscriptionAndDate(...at)).data).toMatchObject({ type: 'TRIAL' });
  });

  it('grows by simple plans, and can be thrown away', async () => {
    const { kb } = await openShop(shop().system, shop().called);
    const plan: SimplePlan = {
      ...{ planId: 'soap-monthly', productName: 'Soap', currency: 'USD', amount: 4, trialLength: 0 },
      productCategory: SimplePlanProductCategoryEnum.Base,
      billingPeriod: SimplePlanBillingPeriodEnum.Monthly,
    };
    expect((await shop().kb.catalog.addSimplePlan(plan, by)).status).toBe(201);
    const { data } = await shop().kb.catalog.getAvailableBasePlans();
    expect((data as { plan: string }[]).map((one) => one.plan)).toContain('soap-monthly');
    expect((await kb.catalog.deleteCatalog(by)).status).toBe(204);
  });
};
