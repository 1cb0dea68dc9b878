export type Mistake = {
  readonly what: string;
  readonly method?: string;
  readonly path: string;
  readonly body?: unknown;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string | null>>;
  readonly status: number;
  /** Somewhere in the answer: the field, header or value that is wrong. */
  readonly names?: RegExp;
};
