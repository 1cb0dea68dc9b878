import type { TaggableObjectType } from '@billstream/accounts-contracts';
import { type Decider, accept, defineSchema, reject } from '@billstream/event-sourcing';
import { derivedId } from '@billstream/kernel';
import { controlTagOf, parkTagId, parkTagName } from './control-tags';

/** An object and the account it belongs to; an account belongs to itself. */
export type TaggedObject = {
  readonly accountId: string;
  readonly objectType: TaggableObjectType;
  readonly objectId: string;
};

export type Tagging = TaggedObject & {
  readonly tagId: string;
  readonly tagDefinitionId: string;
  readonly tagDefinitionName: string;
};

export type ObjectTagsEvent =
  | { readonly type: 'TagAdded'; readonly data: Tagging }
  /** `bySystem`: the platform took it off, which whoever had it do so knows. */
  | { readonly type: 'TagRemoved'; readonly data: Tagging & { readonly bySystem?: true } };

type NamedTag = { readonly tagDefinitionId: string; readonly tagDefinitionName: string };

export type ObjectTagsCommand =
  /** Tags whose definitions exist. `seed` makes the ids of the tags: the same again when the command is repeated. */
  | {
      readonly type: 'AddTags';
      readonly data: { readonly object: TaggedObject; readonly tags: readonly NamedTag[]; readonly seed: string };
    }
  | { readonly type: 'RemoveTags'; readonly data: { readonly tags: readonly NamedTag[] } }
  /** The platform says that invoicing has stopped for the account, or goes on; nobody else may put that tag on. */
  | {
      readonly type: 'SetParked';
      readonly data: { readonly accountId: string; readonly isParked: boolean; readonly seed: string };
    };

/** The tags an object carries, by the id of their definition. */
export type ObjectTagsState = ReadonlyMap<string, Tagging>;

export type ObjectTagsRejection =
  | { readonly code: 'tag-unknown'; readonly tagDefinitionName: string }
  | { readonly code: 'tag-is-the-systems'; readonly tagDefinitionId: string }
  | { readonly code: 'tag-not-applicable'; readonly name: string; readonly objectType: TaggableObjectType };

/** A tag that is there already is put there silently, one that is not there cannot be taken off (Kill Bill's TagUserApi). */
export const objectTags: Decider<ObjectTagsCommand, ObjectTagsEvent, ObjectTagsState, ObjectTagsRejection> = {
  initial: new Map(),
  decide: (command, carried) => {
    if (command.type === 'SetParked') return accept(...parking(command.data, carried));
    const { tags } = command.data;
    const distinct = [...new Map(tags.map((tag) => [tag.tagDefinitionId, tag])).values()];
    if (command.type === 'RemoveTags') {
      const missing = distinct.find(({ tagDefinitionId }) => !carried.has(tagDefinitionId));
      if (missing) return reject({ code: 'tag-unknown', tagDefinitionName: missing.tagDefinitionName });
      const gone = distinct.flatMap(({ tagDefinitionId }) => carried.get(tagDefinitionId) ?? []);
      return accept(...gone.map((data) => ({ type: 'TagRemoved' as const, data })));
    }
    const { object, seed } = command.data;
    if (distinct.some(({ tagDefinitionId }) => tagDefinitionId === parkTagId))
      return reject({ code: 'tag-is-the-systems', tagDefinitionId: parkTagId });
    const foreign = distinct.map(({ tagDefinitionId }) => controlTagOf(tagDefinitionId)).find(isForeignTo(object));
    if (foreign) return reject({ code: 'tag-not-applicable', name: foreign.name, objectType: object.objectType });
    const added = distinct.filter(({ tagDefinitionId }) => !carried.has(tagDefinitionId));
    return accept(
      ...added.map((tag) => ({
        type: 'TagAdded' as const,
        data: { ...object, ...tag, tagId: derivedId('tag', object.objectId, tag.tagDefinitionId, seed) },
      })),
    );
  },
  evolve: (carried, { type, data }) => {
    switch (type) {
      case 'TagAdded':
        return new Map([...carried, [data.tagDefinitionId, data]]);
      case 'TagRemoved':
        return new Map([...carried].filter(([id]) => id !== data.tagDefinitionId));
    }
  },
};

const parking = (
  { accountId, isParked, seed }: Extract<ObjectTagsCommand, { readonly type: 'SetParked' }>['data'],
  carried: ObjectTagsState,
): readonly ObjectTagsEvent[] => {
  const known = carried.get(parkTagId);
  if (!isParked) return known === undefined ? [] : [{ type: 'TagRemoved', data: { ...known, bySystem: true } }];
  if (known !== undefined) return [];
  const tagId = derivedId('tag', accountId, parkTagId, seed);
  const object = { accountId, objectType: 'ACCOUNT' as const, objectId: accountId };
  return [{ type: 'TagAdded', data: { ...object, tagId, tagDefinitionId: parkTagId, tagDefinitionName: parkTagName } }];
};

const isForeignTo =
  ({ objectType }: TaggedObject) =>
  (definition: ReturnType<typeof controlTagOf>): boolean =>
    definition !== null && !definition.applicableObjectTypes.includes(objectType);

export const objectTagsSchema = defineSchema<ObjectTagsEvent>({
  TagAdded: 'objectTags.added.v1',
  TagRemoved: 'objectTags.removed.v1',
});
