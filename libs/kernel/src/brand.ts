declare const brand: unique symbol;

/** A primitive that carries its meaning in the type, and nothing at run time: it survives JSON unchanged. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };
