import type { INestApplication, Type } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import type { OpenAPIObject } from '@nestjs/swagger';
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

/** Every handler by the name that the document gives it when nobody names it otherwise. */
const handlersOf = (app: INestApplication): ReadonlyMap<string, Described> => {
  const controllers = [...app.get(ModulesContainer).values()].flatMap((module) =>
    [...module.controllers.values()].flatMap(({ metatype }) =>
      typeof metatype === 'function' ? [metatype as Type] : [],
    ),
  );
  return new Map(
    controllers.flatMap((controller) =>
      Object.getOwnPropertyNames(controller.prototype).map((method) => [
        `${controller.name}_${method}`,
        describedOf(controller, method),
      ]),
    ),
  );
};

const parametersOf = ({ properties = {}, required = [] }: Schema, known: ReadonlySet<string>) =>
  Object.entries(properties)
    .filter(([name]) => !known.has(name))
    .map(([name, schema]) => ({ name, in: 'query', required: required.includes(name), schema }));

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
      const { query, items } = handlers.get(operation.operationId ?? '') ?? {};
      const given = operation.parameters ?? [];
      const known = new Set(given.map(({ name }) => name));
      operation.parameters = [...given, ...parametersOf(schemas[query?.name ?? ''] ?? {}, known)];
      if (items === undefined || schemas[items.name] === undefined) continue;
      referred.push(items.name);
      const schema = { type: 'array', items: { $ref: `#/components/schemas/${items.name}` } };
      operation.requestBody = { required: true, content: { 'application/json': { schema } } };
    }
  return referred;
};
