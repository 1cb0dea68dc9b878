import { type Decider, accept, defineSchema, reject } from '@billstream/event-sourcing';
import { type ObjectType, isReservedName } from './control-tags';

/** A tenant's own tag definitions; one stream a tenant, so that a name is there once. */
export type TagDefinitionsEvent =
  | {
      readonly type: 'TagDefinitionCreated';
      readonly data: {
        readonly tagDefinitionId: string;
        readonly name: string;
        readonly description: string;
        readonly applicableObjectTypes: readonly ObjectType[];
      };
    }
  | {
      readonly type: 'TagDefinitionDeleted';
      readonly data: { readonly tagDefinitionId: string; readonly name: string };
    };

export type TagDefinitionsCommand =
  | {
      readonly type: 'CreateTagDefinition';
      readonly data: {
        readonly tagDefinitionId: string;
        readonly name: string;
        readonly description: string;
        readonly applicableObjectTypes: readonly ObjectType[];
      };
    }
  | {
      readonly type: 'DeleteTagDefinition';
      /** `isUsed`: some object carries a tag of it. */
      readonly data: { readonly tagDefinitionId: string; readonly isUsed: boolean };
    };

/** Names by id. */
export type TagDefinitionsState = ReadonlyMap<string, string>;

export type TagDefinitionRejection =
  | { readonly code: 'tag-definition-reserved'; readonly name: string }
  | { readonly code: 'tag-definition-exists'; readonly name: string }
  | { readonly code: 'tag-definition-uppercase'; readonly name: string }
  | { readonly code: 'tag-definition-unknown'; readonly tagDefinitionId: string }
  | { readonly code: 'tag-definition-used'; readonly name: string };

/** Rules of Kill Bill's DefaultTagUserApi (0.24): reserved names, no upper case, a name once, none deleted while used. */
export const tagDefinitions: Decider<
  TagDefinitionsCommand,
  TagDefinitionsEvent,
  TagDefinitionsState,
  TagDefinitionRejection
> = {
  initial: new Map(),
  decide: (command, known) => {
    if (command.type === 'CreateTagDefinition') {
      const { name } = command.data;
      if (isReservedName(name)) return reject({ code: 'tag-definition-reserved', name });
      if (name !== name.toLowerCase()) return reject({ code: 'tag-definition-uppercase', name });
      if ([...known.values()].includes(name)) return reject({ code: 'tag-definition-exists', name });
      return accept({ type: 'TagDefinitionCreated', data: command.data });
    }
    const { tagDefinitionId, isUsed } = command.data;
    const name = known.get(tagDefinitionId);
    if (name === undefined) return reject({ code: 'tag-definition-unknown', tagDefinitionId });
    if (isUsed) return reject({ code: 'tag-definition-used', name });
    return accept({ type: 'TagDefinitionDeleted', data: { tagDefinitionId, name } });
  },
  evolve: (known, event) => {
    switch (event.type) {
      case 'TagDefinitionCreated':
        return new Map([...known, [event.data.tagDefinitionId, event.data.name]]);
      case 'TagDefinitionDeleted':
        return new Map([...known].filter(([id]) => id !== event.data.tagDefinitionId));
    }
  },
};

export const tagDefinitionsSchema = defineSchema<TagDefinitionsEvent>({
  TagDefinitionCreated: 'tagDefinitions.created.v1',
  TagDefinitionDeleted: 'tagDefinitions.deleted.v1',
});
