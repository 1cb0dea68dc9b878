import {
  type ObjectTagsEvent,
  type TagDefinitionsEvent,
  objectTagsSchema,
  tagDefinitionsSchema,
} from '@billstream/accounts-domain';
import type { RecordedEvent } from '@billstream/event-sourcing';
import type { ReadModel } from '@billstream/postgres';

const ddl = `
create table tag_definitions (
  tag_definition_id uuid primary key,
  tenant_id uuid not null,
  name text not null,
  description text not null,
  object_types jsonb not null,
  is_active boolean not null,
  created_position bigint not null
);
create index tag_definitions_of_tenant on tag_definitions (tenant_id, created_position);
create table tags (
  tag_id uuid primary key,
  tenant_id uuid not null,
  account_id uuid not null,
  object_type text not null,
  object_id uuid not null,
  tag_definition_id uuid not null,
  tag_definition_name text not null,
  is_active boolean not null,
  created_position bigint not null
);
create index tags_of_tenant on tags (tenant_id, created_position);
create index tags_of_account on tags (account_id);
create index tags_of_object on tags (object_id);
create index tags_of_definition on tags (tag_definition_id) where is_active;
`;

const upsertDefinitions = `
insert into tag_definitions
select * from jsonb_to_recordset($1::jsonb) as row(
  tag_definition_id uuid, tenant_id uuid, name text, description text, object_types jsonb, is_active boolean,
  created_position bigint)
on conflict (tag_definition_id) do nothing`;

const endDefinitions = `update tag_definitions set is_active = false where tag_definition_id = any($1::uuid[])`;

const upsertTags = `
insert into tags
select * from jsonb_to_recordset($1::jsonb) as row(
  tag_id uuid, tenant_id uuid, account_id uuid, object_type text, object_id uuid, tag_definition_id uuid,
  tag_definition_name text, is_active boolean, created_position bigint)
on conflict (tag_id) do update set is_active = excluded.is_active`;

/** Tag definitions of tenants and tags of objects; what was deleted stays and is not active. */
export const tagsReadModel: ReadModel = {
  name: 'tags',
  tables: ['tag_definitions', 'tags'],
  ddl,
  prefixes: ['tagDefinitions-', 'objectTags-'],
  apply: async (tx, events) => {
    const definitions = events.flatMap((recorded) => definitionRow(recorded) ?? []);
    const ended = events.flatMap((recorded) => endedDefinition(recorded) ?? []);
    const tags = tagRows(events);
    if (definitions.length > 0)
      await tx.query(upsertDefinitions, [JSON.stringify(definitions)], 'tag-definitions-insert');
    if (ended.length > 0) await tx.query(endDefinitions, [ended], 'tag-definitions-end');
    if (tags.length > 0) await tx.query(upsertTags, [JSON.stringify(tags)], 'tags-upsert');
  },
};

const definitionRow = (recorded: RecordedEvent): object | null => {
  const event: TagDefinitionsEvent | null = tagDefinitionsSchema.decode(recorded);
  if (event?.type !== 'TagDefinitionCreated') return null;
  const { tagDefinitionId, name, description, applicableObjectTypes } = event.data;
  return {
    tag_definition_id: tagDefinitionId,
    tenant_id: recorded.metadata.tenantId,
    name,
    description,
    object_types: applicableObjectTypes,
    is_active: true,
    created_position: String(recorded.position),
  };
};

const endedDefinition = (recorded: RecordedEvent): string | null => {
  const event = tagDefinitionsSchema.decode(recorded);
  return event?.type === 'TagDefinitionDeleted' ? event.data.tagDefinitionId : null;
};

/** The last word on each tag of the batch. */
const tagRows = (events: readonly RecordedEvent[]): readonly object[] => {
  const rows = new Map<string, object>();
  for (const recorded of events) {
    const event: ObjectTagsEvent | null = objectTagsSchema.decode(recorded);
    if (event === null) continue;
    const { data, type } = event;
    rows.set(data.tagId, {
      created_position: String(recorded.position),
      ...rows.get(data.tagId),
      tag_id: data.tagId,
      tenant_id: recorded.metadata.tenantId,
      account_id: data.accountId,
      object_type: data.objectType,
      object_id: data.objectId,
      tag_definition_id: data.tagDefinitionId,
      tag_definition_name: data.tagDefinitionName,
      is_active: type === 'TagAdded',
    });
  }
  return [...rows.values()];
};
