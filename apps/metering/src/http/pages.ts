import { Type } from 'class-transformer';
import { IsInt, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';
import { invalidField } from './problems';

export const pageSizeMax = 1_000;

/** At most so many entries of a list. */
export class PageLimit {
  @IsOptional() @Type(() => Number) @IsInt() @Min(1) @Max(pageSizeMax) readonly limit: number = 100;
}

/** A page of a list: at most `limit` entries, from where `next` of the page before said. */
export class PageQuery extends PageLimit {
  @IsOptional() @IsString() @MaxLength(200) readonly cursor?: string;
}

/** Where the next page begins, as text that says nothing to clients. */
export const nextCursor = (parts: readonly bigint[]): string => Buffer.from(parts.join(' ')).toString('base64url');

/** The numbers of a cursor; none at all for a first page. */
export const cursorIn = (cursor: string | undefined, count: number): readonly bigint[] => {
  if (cursor === undefined) return [];
  const parts = Buffer.from(cursor, 'base64url').toString('utf8').split(' ');
  if (parts.length !== count || !parts.every((part) => /^\d{1,18}$/.test(part)))
    throw invalidField('query:cursor', 'is what `next` of the page before says');
  return parts.map(BigInt);
};
