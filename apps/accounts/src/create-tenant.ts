import { tenantKeyStream, tenantStream } from '@billstream/accounts-domain';
import type { CommandContext } from '@billstream/event-sourcing';
import { derivedId } from '@billstream/kernel';
import { hashSecret } from '@billstream/secrets';
import type { Accounts } from './accounts';
import { claimKey } from './claim';

export type NewTenant = {
  readonly tenantId: string;
  readonly apiKey: string;
  readonly apiSecret: string;
  readonly externalKey: string | null;
  readonly useGlobalDefault: boolean;
};

/** Creates a tenant with an API key nobody has; null when the key is taken. Repeating it with the same command id is safe. */
export const createTenant = async (
  { runtime, tenant, tenantKey }: Accounts,
  { apiSecret, tenantId: proposedId, ...rest }: NewTenant,
  context: CommandContext,
): Promise<{ readonly tenantId: string; readonly position: bigint | null } | null> => {
  const commandId = derivedId(context.commandId, 'create');
  const claiming = {
    store: runtime.store,
    handle: tenantKey,
    claimStream: tenantKeyStream(rest.apiKey),
    entityStream: tenantStream,
    creatingCommandId: commandId,
  };
  const claim = { ...context, tenantId: proposedId, commandId: derivedId(context.commandId, 'claim') };
  const tenantId = await claimKey(claiming, proposedId, claim);
  if (tenantId === null) return null;
  const secretHash = await hashSecret(apiSecret);
  const command = { type: 'CreateTenant' as const, data: { ...rest, tenantId, secretHash } };
  const created = await tenant(tenantStream(tenantId), command, { ...context, tenantId, commandId });
  return created.outcome === 'accepted' ? { tenantId, position: created.position } : null;
};
