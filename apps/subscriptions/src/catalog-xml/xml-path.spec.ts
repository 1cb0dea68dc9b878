import { defaultCatalog } from '@billstream/subscriptions-domain';
import { readCatalog } from './read-catalog';
import { writeCatalog } from './write-catalog';
import { xmlPathOf } from './xml-path';

describe('the path of a part in the XML document', () => {
  it.each([
    ['/catalogName', '/catalog/catalogName'],
    ['/plans/1/product', "/catalog/plans/plan[@name='standard-pro']/product"],
    ['/plans/0/phases/0/type', "/catalog/plans/plan[@name='standard-monthly']/initialPhases/phase[1]/@type"],
    [
      '/plans/0/phases/1/recurring/prices/EUR',
      "/catalog/plans/plan[@name='standard-monthly']/finalPhase/recurring/recurringPrice/price[currency='EUR']",
    ],
    [
      '/plans/0/phases/1/usages/1/tiers/0/blocks/0/prices/EUR',
      "/catalog/plans/plan[@name='standard-monthly']/finalPhase/usages/usage[2]/tiers/tier[1]/blocks/tieredBlock[1]/prices/price[currency='EUR']",
    ],
    ['/priceLists/0/plans/1', '/catalog/priceLists/defaultPriceList/plans/plan[2]'],
    ['/priceLists/2/plans/0', '/catalog/priceLists/childPriceList[2]/plans/plan[1]'],
    ['/rules/cancelPolicy/1/when/product', '/catalog/rules/cancelPolicy/cancelPolicyCase[2]/product'],
    ['/products/0/available/0', "/catalog/products/product[@name='Standard']/available/addonProduct[1]"],
    ['/currencies/1', '/catalog/currencies/currency[2]'],
  ])('of %s', (pointer, path) => {
    expect(xmlPathOf(defaultCatalog, pointer)).toBe(path);
  });
});

describe('reading a document', () => {
  it('names every element that cannot be read, not the first alone', () => {
    const xml = writeCatalog(defaultCatalog)
      .replace('<unit>DAYS</unit>', '<unit>FORTNIGHTS</unit>')
      .replace('<policy>END_OF_TERM</policy>', '<policy>SOON</policy>')
      .replace('<value>50</value>', '<value>fifty</value>');
    const read = readCatalog(xml);
    expect('errors' in read && read.errors).toEqual([
      { pointer: '/catalog/rules/cancelPolicy/cancelPolicyCase/policy', message: expect.stringContaining('SOON') },
      {
        pointer: '/catalog/plans/plan[1]/initialPhases/phase/duration/unit',
        message: expect.stringContaining('FORTNIGHTS'),
      },
      {
        pointer: '/catalog/plans/plan[2]/finalPhase/recurring/recurringPrice/price/value',
        message: 'fifty is not a number',
      },
    ]);
  });

  it('keeps what a section that is paid in advance states without tiers', () => {
    const untiered =
      '<usage name="seats" billingMode="IN_ADVANCE" usageType="CAPACITY"><billingPeriod>MONTHLY</billingPeriod>' +
      '<limits><limit><unit>host</unit><max>5</max></limit></limits>' +
      '<recurringPrice><price><currency>USD</currency><value>7</value></price></recurringPrice></usage>';
    const first = readCatalog(writeCatalog(defaultCatalog).replace('<usages>', `<usages>${untiered}`));
    if ('errors' in first) throw new Error(JSON.stringify(first.errors));
    expect(first.version.plans[0]?.phases[1]?.usages[0]).toMatchObject({
      tiers: [],
      untiered: { limits: [{ unit: 'host', max: '5', min: null }], recurringPrice: { USD: '7' } },
    });
    expect(readCatalog(writeCatalog(first.version))).toEqual(first);
  });
});
