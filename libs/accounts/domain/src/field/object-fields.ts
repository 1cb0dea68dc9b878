import { type Decider, type Decision, accept, defineSchema, reject } from '@billstream/event-sourcing';
import { derivedId } from '@billstream/kernel';
import type { TaggedObject } from '../tag/object-tags';

/** A name and a value that a client keeps with an object. They mean nothing to the platform. */
export type CustomField = TaggedObject & {
  readonly customFieldId: string;
  readonly name: string;
  readonly value: string;
};

export type ObjectFieldsEvent =
  | { readonly type: 'CustomFieldAdded'; readonly data: CustomField }
  | { readonly type: 'CustomFieldChanged'; readonly data: CustomField }
  | { readonly type: 'CustomFieldRemoved'; readonly data: CustomField };

export type ObjectFieldsCommand =
  /** `seed` makes the ids of the fields: the same again when the command is repeated. */
  | {
      readonly type: 'AddCustomFields';
      readonly data: {
        readonly object: TaggedObject;
        readonly fields: readonly { readonly name: string; readonly value: string }[];
        readonly seed: string;
      };
    }
  /** A name or an object that is said must be what it was. */
  | {
      readonly type: 'ChangeCustomFields';
      readonly data: {
        readonly fields: readonly {
          readonly customFieldId: string;
          readonly name: string | null;
          readonly value: string;
        }[];
      };
    }
  /** Null: all of them. What is not there is gone already. */
  | {
      readonly type: 'RemoveCustomFields';
      readonly data: { readonly customFieldIds: readonly string[] | null };
    };

/** Fields by id. */
export type ObjectFieldsState = ReadonlyMap<string, CustomField>;

export type ObjectFieldsRejection =
  | { readonly code: 'custom-field-exists'; readonly name: string }
  | { readonly code: 'custom-field-unknown'; readonly customFieldId: string }
  | { readonly code: 'custom-field-name-fixed'; readonly customFieldId: string; readonly name: string };

type FieldsDecision = Decision<ObjectFieldsEvent, ObjectFieldsRejection>;

/** An object has a name once; the name stays, the value changes (Kill Bill's CustomFieldUserApi). */
export const objectFields: Decider<ObjectFieldsCommand, ObjectFieldsEvent, ObjectFieldsState, ObjectFieldsRejection> = {
  initial: new Map(),
  decide: (command, fields) => {
    switch (command.type) {
      case 'AddCustomFields':
        return add(command.data, fields);
      case 'ChangeCustomFields':
        return change(command.data, fields);
      case 'RemoveCustomFields': {
        const ids = command.data.customFieldIds ?? [...fields.keys()];
        const gone = [...new Set(ids)].flatMap((id) => fields.get(id) ?? []);
        return accept(...gone.map((data) => ({ type: 'CustomFieldRemoved' as const, data })));
      }
    }
  },
  evolve: (fields, { type, data }) => {
    switch (type) {
      case 'CustomFieldAdded':
      case 'CustomFieldChanged':
        return new Map([...fields, [data.customFieldId, data]]);
      case 'CustomFieldRemoved':
        return new Map([...fields].filter(([id]) => id !== data.customFieldId));
    }
  },
};

const add = (
  { object, fields: wanted, seed }: Extract<ObjectFieldsCommand, { type: 'AddCustomFields' }>['data'],
  fields: ObjectFieldsState,
): FieldsDecision => {
  const taken = new Set([...fields.values()].map(({ name }) => name));
  for (const { name } of wanted) {
    if (taken.has(name)) return reject({ code: 'custom-field-exists', name });
    taken.add(name);
  }
  return accept(
    ...wanted.map(({ name, value }) => ({
      type: 'CustomFieldAdded' as const,
      data: { ...object, customFieldId: derivedId('custom-field', object.objectId, name, seed), name, value },
    })),
  );
};

const change = (
  { fields: wanted }: Extract<ObjectFieldsCommand, { type: 'ChangeCustomFields' }>['data'],
  fields: ObjectFieldsState,
): FieldsDecision => {
  const changed: CustomField[] = [];
  for (const { customFieldId, name, value } of wanted) {
    const known = fields.get(customFieldId);
    if (known === undefined) return reject({ code: 'custom-field-unknown', customFieldId });
    if (name !== null && name !== known.name) return reject({ code: 'custom-field-name-fixed', customFieldId, name });
    if (value !== known.value) changed.push({ ...known, value });
  }
  return accept(...changed.map((data) => ({ type: 'CustomFieldChanged' as const, data })));
};

export const objectFieldsSchema = defineSchema<ObjectFieldsEvent>({
  CustomFieldAdded: 'objectFields.added.v1',
  CustomFieldChanged: 'objectFields.changed.v1',
  CustomFieldRemoved: 'objectFields.removed.v1',
});
