import { tenantByApiKey } from '@billstream/accounts-read-models';
import { derivedId } from '@billstream/kernel';
import { matchesHash } from '@billstream/secrets';
import { type Accounts } from './accounts';
import { createTenant } from './create-tenant';

/** The id that the first tenant always has, so that every start and every machine names it alike. */
export const bootstrapTenantId = (apiKey: string): string => derivedId('bootstrap-tenant', apiKey);

/** Makes sure that the tenant of the configuration exists. The log wins: a secret that differs is reported, not changed. */
export const bootstrapTenant = async (accounts: Accounts): Promise<void> => {
  const { runtime } = accounts;
  const first = runtime.settings.bootstrapTenant;
  if (first === null) return;
  const tenantId = bootstrapTenantId(first.apiKey);
  const context = {
    commandId: derivedId('bootstrap', tenantId),
    tenantId,
    actor: { createdBy: 'billstream' },
    at: runtime.clock.now(tenantId),
    correlationId: derivedId('bootstrap', tenantId),
  };
  const created = await createTenant(
    accounts,
    { ...first, tenantId, externalKey: first.apiKey, useGlobalDefault: true },
    context,
  );
  await runtime.visible(created?.position ?? null);
  const known = await tenantByApiKey(runtime.database, first.apiKey);
  if (known !== null && !(await matchesHash(first.apiSecret, known.secretHash)))
    runtime.logger.warn(
      { tenantId: known.tenantId },
      'the first tenant has another secret than the configuration says',
    );
};
