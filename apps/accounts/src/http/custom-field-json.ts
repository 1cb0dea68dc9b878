import type { CustomFieldView } from '@billstream/accounts-read-models';
import type { Audited } from '@billstream/http';

/** Kill Bill's CustomField JSON. */
export const customFieldJson = (field: CustomFieldView): Audited => ({
  objectType: 'CUSTOM_FIELD',
  objectId: field.customFieldId,
  json: {
    customFieldId: field.customFieldId,
    objectId: field.objectId,
    objectType: field.objectType,
    name: field.name,
    value: field.value,
  },
});
