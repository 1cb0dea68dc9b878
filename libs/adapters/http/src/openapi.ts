import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { defaultMetadataStorage } from 'class-transformer/cjs/storage';
import { validationMetadatasToSchemas } from 'class-validator-jsonschema';
import { describeArguments } from './described-arguments';

type Schemas = NonNullable<NonNullable<OpenAPIObject['components']>['schemas']>;

/**
 * The app's routes as an OpenAPI document. Shapes of bodies and queries come from the validators of their classes, so that
 * what is documented is what is checked. Build it when it is asked for: it walks over every route.
 */
export const openApiOf = (app: INestApplication, title: string): OpenAPIObject => {
  const document = SwaggerModule.createDocument(app, new DocumentBuilder().setTitle(title).build());
  const known = validationMetadatasToSchemas({
    classTransformerMetadataStorage: defaultMetadataStorage,
    refPointerPrefix: '#/components/schemas/',
  }) as Schemas;
  const schemas: Schemas = { ...document.components?.schemas };
  const add = (name: string): void => {
    const schema = known[name];
    if (schema === undefined) return;
    schemas[name] = schema;
    for (const inner of referencesIn(schema)) if (!(inner in schemas)) add(inner);
  };
  const lists = describeArguments(app, document, known as Parameters<typeof describeArguments>[2]);
  for (const name of [...Object.keys(schemas), ...lists, ...referencesIn(document.paths)]) add(name);
  // A type that is not known at run time (a list, free JSON, a field of several types) refers to a schema nobody gives.
  for (const name of [document.paths, schemas].flatMap(referencesIn)) schemas[name] ??= { description: 'Any JSON' };
  return { ...document, components: { ...document.components, schemas } };
};

const referencesIn = (schema: object): readonly string[] =>
  [...JSON.stringify(schema).matchAll(/"#\/components\/schemas\/([^"]+)"/g)].map(([, name]) => name ?? '');
