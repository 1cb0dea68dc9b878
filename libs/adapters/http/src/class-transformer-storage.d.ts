/** The package ships this module without declarations; `validationMetadatasToSchemas` wants it to follow `@Type`. */
declare module 'class-transformer/cjs/storage' {
  export const defaultMetadataStorage: NonNullable<
    import('class-validator-jsonschema/build/options').IOptions['classTransformerMetadataStorage']
  >;
}
