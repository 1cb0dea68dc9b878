import {
  type ArgumentMetadata,
  type PipeTransform,
  type Type,
  type ValidationError,
  ValidationPipe,
} from '@nestjs/common';
import { type FieldError, ProblemException } from './problem';

/** Bodies and queries that came under `/v1`, where a field nobody knows is refused instead of ignored. */
const strict = new WeakSet<object>();

export const beStrictAbout = (value: unknown): void => {
  if (typeof value === 'object' && value !== null) strict.add(value);
};

const isStrict = (value: unknown): boolean => typeof value === 'object' && value !== null && strict.has(value);

/** Shapes are checked here, rules by deciders. Errors name the field: a JSON pointer, `query:name` or `path:name`. */
export const validationPipe = (): PipeTransform => {
  const pipes = new Map<string, ValidationPipe>();
  return {
    transform: (value: unknown, metadata: ArgumentMetadata): unknown => {
      const kind = `${metadata.type} ${String(isStrict(value))}`;
      const pipe = pipes.get(kind) ?? pipeFor(prefixes[metadata.type], isStrict(value));
      pipes.set(kind, pipe);
      return pipe.transform(value, metadata);
    },
  };
};

const items = new WeakMap<object, Type>();

/** What a pipe of `listOf` makes a list of, for the description of the API. */
export const itemOf = (pipe: unknown): Type | undefined =>
  typeof pipe === 'object' && pipe !== null ? items.get(pipe) : undefined;

/** For a body that is a JSON array: `@Body(listOf(CustomFieldRequest)) fields: CustomFieldRequest[]`. */
export const listOf = (item: Type): PipeTransform => {
  const pipe = listPipe(item);
  items.set(pipe, item);
  return pipe;
};

const listPipe = (item: Type): PipeTransform => ({
  transform: async (value: unknown, metadata: ArgumentMetadata): Promise<unknown[]> => {
    if (!Array.isArray(value))
      throw invalid([{ pointer: '', code: 'is-array', message: 'the body must be a JSON array' }]);
    const elements: readonly unknown[] = value;
    return Promise.all(
      elements.map((element, index) =>
        pipeFor(`/${String(index)}/`, isStrict(value)).transform(element, { ...metadata, metatype: item }),
      ),
    );
  },
});

const prefixes: Readonly<Record<ArgumentMetadata['type'], string>> = {
  body: '/',
  query: 'query:',
  param: 'path:',
  custom: '',
};

const pipeFor = (prefix: string, forbidNonWhitelisted: boolean): ValidationPipe =>
  new ValidationPipe({
    whitelist: true,
    forbidNonWhitelisted,
    transform: true,
    exceptionFactory: (errors) => invalid(errors.flatMap((error) => fieldErrors(error, prefix))),
  });

const fieldErrors = ({ property, constraints = {}, children = [] }: ValidationError, prefix: string): FieldError[] => {
  const pointer = prefix + property.replaceAll('~', '~0').replaceAll('/', '~1');
  return [
    ...Object.entries(constraints).map(([rule, message]) => ({ pointer, code: codeOf(rule), message })),
    ...children.flatMap((child) => fieldErrors(child, `${pointer}/`)),
  ];
};

const codeOf = (rule: string): string =>
  rule === 'whitelistValidation' ? 'unknown-field' : rule.replace(/([a-z0-9])([A-Z])/g, '$1-$2').toLowerCase();

const invalid = (errors: readonly FieldError[]): ProblemException =>
  new ProblemException({
    status: 400,
    code: 'invalid-request',
    detail: errors.map(({ pointer, message }) => (pointer === '' ? message : `${pointer}: ${message}`)).join('; '),
    errors,
  });
