import type { TaggableObjectType } from '@billstream/accounts-contracts';
import { type Decider, accept, defineSchema } from '@billstream/event-sourcing';

export type KnownObject = { readonly objectType: TaggableObjectType; readonly objectId: string };

/** Objects of other contexts that belong to the account, as those contexts told: what can be tagged beside the account. */
export type KnownObjectsEvent = {
  readonly type: 'ObjectsRecorded';
  readonly data: { readonly accountId: string; readonly objects: readonly KnownObject[] };
};

export type RecordObjects = {
  readonly type: 'RecordObjects';
  readonly data: { readonly accountId: string; readonly objects: readonly KnownObject[] };
};

/** `<objectType> <objectId>` of each that is known. */
export type KnownObjectsState = ReadonlySet<string>;

const nameOf = ({ objectType, objectId }: KnownObject): string => `${objectType} ${objectId}`;

/** Facts of others are recorded, never judged; what is known already leaves no event. */
export const knownObjects: Decider<RecordObjects, KnownObjectsEvent, KnownObjectsState, never> = {
  initial: new Set(),
  decide: ({ data: { accountId, objects } }, known) => {
    const fresh = [...new Map(objects.map((object) => [nameOf(object), object]))].filter(([name]) => !known.has(name));
    if (fresh.length === 0) return accept();
    return accept({ type: 'ObjectsRecorded', data: { accountId, objects: fresh.map(([, object]) => object) } });
  },
  evolve: (known, { data }) => new Set([...known, ...data.objects.map(nameOf)]),
};

export const knownObjectsSchema = defineSchema<KnownObjectsEvent>({
  ObjectsRecorded: 'accountObjects.recorded.v1',
});
