import { type ObjectType, type TagDefinition, controlTagOf, controlTags } from '@billstream/accounts-domain';
import type { TaggableObjectType } from '@billstream/accounts-contracts';
import type { Sql } from '@billstream/postgres';
import { likeText } from './account-search';
import { type PageRequest, type Slice, slice } from './slice';

/** A tag as a client sees it; not active: it was taken off. */
export type TagView = {
  readonly tagId: string;
  readonly objectType: TaggableObjectType;
  readonly objectId: string;
  readonly tagDefinitionId: string;
  readonly tagDefinitionName: string;
};

const columns = `tag_id as "tagId", object_type as "objectType", object_id as "objectId",
  tag_definition_id as "tagDefinitionId", tag_definition_name as "tagDefinitionName"`;

const ofObject = `select ${columns} from tags where tenant_id = $1 and object_type = $2 and object_id = $3
  and (is_active or $4) order by created_position, tag_id`;
const ofAccount = `select ${columns} from tags where tenant_id = $1 and account_id = $2
  and ($3::text is null or object_type = $3) and (is_active or $4) order by created_position, tag_id`;

export const tagsOfObject = (
  sql: Sql,
  tenantId: string,
  { objectType, objectId }: { readonly objectType: string; readonly objectId: string },
  includedDeleted: boolean,
): Promise<readonly TagView[]> =>
  sql.query<TagView>(ofObject, [tenantId, objectType, objectId, includedDeleted], 'tags-of-object');

/** Tags of the account and of everything that belongs to it; of one kind of object, when one is named. */
export const tagsOfAccount = (
  sql: Sql,
  tenantId: string,
  { accountId, objectType }: { readonly accountId: string; readonly objectType: string | null },
  includedDeleted: boolean,
): Promise<readonly TagView[]> =>
  sql.query<TagView>(ofAccount, [tenantId, accountId, objectType, includedDeleted], 'tags-of-account');

export const tagsPage = (sql: Sql, tenantId: string, page: PageRequest): Promise<Slice<TagView>> =>
  slice<TagView>(sql, { columns, from: 'tags', where: 'tenant_id = $1 and is_active', values: [tenantId] }, page);

/** Somewhere in the name of the definition or in the kind of object; or exactly one of the ids. */
export const searchTags = (sql: Sql, tenantId: string, key: string, page: PageRequest): Promise<Slice<TagView>> => {
  const where = `tenant_id = $1 and is_active and (tag_definition_name ilike $2 or object_type ilike $2
    or tag_id::text = $3 or object_id::text = $3 or tag_definition_id::text = $3)`;
  const values = [tenantId, likeText(key), key.toLowerCase()];
  return slice<TagView>(sql, { columns, from: 'tags', where, values }, page);
};

type DefinitionRow = {
  readonly tagDefinitionId: string;
  readonly name: string;
  readonly description: string;
  readonly objectTypes: readonly ObjectType[];
};

const definitionColumns = `tag_definition_id as "tagDefinitionId", name, description, object_types as "objectTypes"`;
const allDefinitions = `select ${definitionColumns} from tag_definitions
  where tenant_id = $1 and is_active order by created_position`;
const someDefinitions = `select ${definitionColumns} from tag_definitions
  where tenant_id = $1 and is_active and tag_definition_id = any($2::uuid[])`;
const used = `select exists (select from tags where tenant_id = $1 and tag_definition_id = $2 and is_active) as "isUsed"`;

const definitionOf = ({ objectTypes, ...row }: DefinitionRow): TagDefinition => ({
  ...row,
  isControlTag: false,
  applicableObjectTypes: objectTypes,
});

/** Control tags and the tenant's own. */
export const tagDefinitionsOf = async (sql: Sql, tenantId: string): Promise<readonly TagDefinition[]> => [
  ...(await sql.query<DefinitionRow>(allDefinitions, [tenantId], 'tag-definitions')).map(definitionOf),
  ...controlTags,
];

/** Those of the ids that are control tags or definitions of the tenant. */
export const tagDefinitionsByIds = async (
  sql: Sql,
  tenantId: string,
  ids: readonly string[],
): Promise<readonly TagDefinition[]> => {
  const control = ids.flatMap((id) => controlTagOf(id) ?? []);
  const own = ids.filter((id) => controlTagOf(id) === null);
  if (own.length === 0) return control;
  const rows = await sql.query<DefinitionRow>(someDefinitions, [tenantId, own], 'tag-definitions-by-ids');
  return [...control, ...rows.map(definitionOf)];
};

export const isTagDefinitionUsed = async (sql: Sql, tenantId: string, tagDefinitionId: string): Promise<boolean> =>
  (await sql.query<{ isUsed: boolean }>(used, [tenantId, tagDefinitionId], 'tag-definition-used'))[0]?.isUsed ?? false;
