import type { INestApplication, Type } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import type { OpenAPIObject } from '@nestjs/swagger';
import { defaultMetadataStorage } from 'class-transformer/cjs/storage';
import { targetConstructorToSchema } from 'class-validator-jsonschema';
import { itemOf } from './validation';

type Schema = { readonly properties?: Readonly<Record<string, object>>; readonly required?: readonly string[] };
type Schemas = Readonly<Record<string, Schema>>;
type Operation = {
  operationId?: string;
  parameters?: { name: string; in: string; required: boolean; schema: object }[];
  requestBody?: object;
};

/** Where Nest keeps what a handler's parameters are: by kind and position, `4:1` for a query as the second. */
const routeArguments = '__routeArguments__';
const kinds = { body: '3', query: '4' } as const;

type Argument = { readonly index: number; readonly data?: unknown; readonly pipes: readonly unknown[] };

/** The classes that describe a handler's whole query, and the elements of its body where that is a list. */
type Described = { readonly query: Type | undefined; readonly items: Type | undefined };

const describedOf = (controller: Type, method: string): Described => {
  const found = Reflect.getMetadata(routeArguments, controller, method) as
    Readonly<Record<string, Argument>> | undefined;
  const types = Reflect.getMetadata('design:paramtypes', controller.prototype as object, method) as Type[] | undefined;
  const of = (kind: string): Argument | undefined =>
    Object.entries(found ?? {}).find(([key, { data }]) => key.startsWith(`${kind}:`) && data === undefined)?.[1];
  const query = of(kinds.query);
  return {
    query: query === undefined ? undefined : types?.[query.index],
    items: of(kinds.body)
      ?.pipes.map(itemOf)
      .find((item) => item !== undefined),
  };
};

/** Where `@ApiOperation` keeps what an operation is called. */
const apiOperation = 'swagger/apiOperation';

/** The names that the document may give a handler: its own, or the one that somebody gave it. */
const namesOf = (controller: Type, method: string): readonly string[] => {
  const handler = Object.getOwnPropertyDescriptor(controller.prototype, method)?.value as object | undefined;
  const told =
    typeof handler === 'function'
      ? (Reflect.getMetadata(apiOperation, handler) as { readonly operationId?: string } | undefined)
      : undefined;
  return [`${controller.name}_${method}`, ...(told?.operationId === undefined ? [] : [told.operationId])];
};

/** A handler of several paths is numbered in the document. */
const unnumbered = (operationId = ''): string => operationId.replace(/\[\d+\]$/, '');

/** Every handler by the names that the document may give it. */
const handlersOf = (app: INestApplication): ReadonlyMap<string, Described> => {
  const controllers = [...app.get(ModulesContainer).values()].flatMap((module) =>
    [...module.controllers.values()].flatMap(({ metatype }) =>
      typeof metatype === 'function' ? [metatype as Type] : [],
    ),
  );
  return new Map(
    controllers.flatMap((controller) =>
      Object.getOwnPropertyNames(controller.prototype).flatMap((method) => {
        const described = describedOf(controller, method);
        return namesOf(controller, method).map((name): [string, Described] => [name, described]);
      }),
    ),
  );
};

const parametersOf = ({ properties = {}, required = [] }: Schema, known: ReadonlySet<string>) =>
  Object.entries(properties)
    .filter(([name]) => !known.has(name))
    .map(([name, schema]) => ({ name, in: 'query', required: required.includes(name), schema }));

/** Of that very class: services that run in one process have classes of one name. */
const schemaOf = (query: Type | undefined): Schema =>
  query === undefined || query === Object
    ? {}
    : (targetConstructorToSchema(query, { classTransformerMetadataStorage: defaultMetadataStorage }));

/**
 * Adds to the document what Nest cannot see without a decorator on every field: the parameters of queries that are
 * classes, and the elements of bodies that are lists. Both come from the validators, as bodies do. Gives the names of the
 * schemas that are now referred to.
 */
export const describeArguments = (
  app: INestApplication,
  document: OpenAPIObject,
  schemas: Schemas,
): readonly string[] => {
  const handlers = handlersOf(app);
  const referred: string[] = [];
  for (const item of Object.values(document.paths) as Readonly<Record<string, Operation>>[])
    for (const operation of Object.values(item)) {
      const { query, items } = handlers.get(unnumbered(operation.operationId)) ?? {};
      const given = operation.parameters ?? [];
      const known = new Set(given.map(({ name }) => name));
      operation.parameters = [...given, ...parametersOf(schemaOf(query), known)];
      if (items === undefined || schemas[items.name] === undefined) continue;
      referred.push(items.name);
      const schema = { type: 'array', items: { $ref: `#/components/schemas/${items.name}` } };
      operation.requestBody = { required: true, content: { 'application/json': { schema } } };
    }
  return referred;
};
