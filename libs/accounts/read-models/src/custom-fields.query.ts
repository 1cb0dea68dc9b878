import type { TaggableObjectType } from '@billstream/accounts-contracts';
import type { Sql } from '@billstream/postgres';
import { likeText } from './account-search';
import { type PageRequest, type Slice, slice } from './slice';

/** A custom field as a client sees it. */
export type CustomFieldView = {
  readonly customFieldId: string;
  readonly objectId: string;
  readonly objectType: TaggableObjectType;
  readonly name: string;
  readonly value: string;
};

const columns = `custom_field_id as "customFieldId", object_id as "objectId", object_type as "objectType", name, value`;
const order = 'order by created_position, custom_field_id';
const ofObject = `select ${columns} from custom_fields
  where tenant_id = $1 and object_type = $2 and object_id = $3 and is_active ${order}`;
const ofAccount = `select ${columns} from custom_fields
  where tenant_id = $1 and account_id = $2 and ($3::text is null or object_type = $3) and is_active ${order}`;

export const customFieldsOfObject = (
  sql: Sql,
  tenantId: string,
  { objectType, objectId }: { readonly objectType: string; readonly objectId: string },
): Promise<readonly CustomFieldView[]> =>
  sql.query<CustomFieldView>(ofObject, [tenantId, objectType, objectId], 'custom-fields-of-object');

/** Those of the account and of everything that belongs to it; of one kind of object, when one is named. */
export const customFieldsOfAccount = (
  sql: Sql,
  tenantId: string,
  { accountId, objectType }: { readonly accountId: string; readonly objectType: string | null },
): Promise<readonly CustomFieldView[]> =>
  sql.query<CustomFieldView>(ofAccount, [tenantId, accountId, objectType], 'custom-fields-of-account');

const selection = (where: string, values: readonly unknown[]) => ({
  columns,
  from: 'custom_fields',
  where: `tenant_id = $1 and is_active${where}`,
  values,
});

export const customFieldsPage = (sql: Sql, tenantId: string, page: PageRequest): Promise<Slice<CustomFieldView>> =>
  slice<CustomFieldView>(sql, selection('', [tenantId]), page);

/** Somewhere in name, value or kind of object; or exactly the id of the field or of its object. */
export const searchCustomFields = (
  sql: Sql,
  tenantId: string,
  key: string,
  page: PageRequest,
): Promise<Slice<CustomFieldView>> => {
  const where = ` and (name ilike $2 or value ilike $2 or object_type ilike $2
    or custom_field_id::text = $3 or object_id::text = $3)`;
  return slice<CustomFieldView>(sql, selection(where, [tenantId, likeText(key), key.toLowerCase()]), page);
};

/** Fields of a kind of object with this name, and this value when one is said. */
export const findCustomFields = (
  sql: Sql,
  tenantId: string,
  field: { readonly objectType: string; readonly name: string; readonly value: string | null },
  page: PageRequest,
): Promise<Slice<CustomFieldView>> => {
  const where = ' and object_type = $2 and name = $3 and ($4::text is null or value = $4)';
  return slice<CustomFieldView>(sql, selection(where, [tenantId, field.objectType, field.name, field.value]), page);
};
