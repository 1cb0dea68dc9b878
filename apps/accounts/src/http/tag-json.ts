import type { TagDefinition } from '@billstream/accounts-domain';
import type { TagView } from '@billstream/accounts-read-models';
import type { Audited } from '@billstream/http';

/** Kill Bill's Tag JSON. */
export const tagJson = (tag: TagView): Audited => ({
  objectType: 'TAG',
  objectId: tag.tagId,
  json: {
    tagId: tag.tagId,
    objectType: tag.objectType,
    objectId: tag.objectId,
    tagDefinitionId: tag.tagDefinitionId,
    tagDefinitionName: tag.tagDefinitionName,
  },
});

/** Kill Bill's TagDefinition JSON. */
export const tagDefinitionJson = (definition: TagDefinition): Audited => ({
  objectType: 'TAG_DEFINITION',
  objectId: definition.tagDefinitionId,
  json: {
    id: definition.tagDefinitionId,
    isControlTag: definition.isControlTag,
    name: definition.name,
    description: definition.description,
    applicableObjectTypes: definition.applicableObjectTypes,
  },
});
