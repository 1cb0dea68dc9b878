import type { Handle, CommandContext, EventStore } from '@billstream/event-sourcing';
import { epochMs } from '@billstream/kernel';
import type { ClaimKey, KeyClaim, KeyClaimed, KeyTaken } from '@billstream/accounts-domain';

type Claiming = {
  readonly store: EventStore;
  readonly handle: Handle<ClaimKey, KeyClaimed, KeyClaim, KeyTaken>;
  /** Stream of the claim, and that of what the key is for, once it exists. */
  readonly claimStream: string;
  readonly entityStream: (ownerId: string) => string;
  /** Id of the command that creates the entity: tells a repeated request from a second one. */
  readonly creatingCommandId: string;
};

/** Longer than any request takes: after it, a claim without what it is for belongs to nobody who is still at work. */
const abandonedAfterMs = 60_000;

/**
 * The id under which to create what the key is for, or null when another one has the key. A claim whose entity was never
 * created (its maker crashed in between) is taken over under the id it names, once that is sure: whoever took over from a
 * maker at work would write into what that one is making.
 */
export const claimKey = async (
  { store, handle, claimStream, entityStream, creatingCommandId }: Claiming,
  proposedId: string,
  context: CommandContext,
): Promise<string | null> => {
  const claimed = await handle(claimStream, { type: 'ClaimKey', data: { ownerId: proposedId } }, context);
  if (claimed.outcome !== 'rejected') return proposedId;
  const { ownerId } = claimed.rejection;
  const [first] = await store.read(entityStream(ownerId), 0n, 1);
  if (first !== undefined) return first.metadata.commandId === creatingCommandId ? ownerId : null;
  const [claim] = await store.read(claimStream, 0n, 1);
  const isAbandoned = claim !== undefined && Date.now() - epochMs(claim.metadata.recordedAt) > abandonedAfterMs;
  return isAbandoned ? ownerId : null;
};
