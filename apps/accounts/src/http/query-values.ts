import { Type } from 'class-transformer';
import { IsInt, IsOptional, Max, Min } from 'class-validator';
import { AuditQuery } from './audit-logs';

/** Whether a query parameter says `true`, in whatever case. */
export const isTrue = (value: unknown): boolean => typeof value === 'string' && value.toLowerCase() === 'true';

/** A parameter that may stand there several times or hold several values with commas; empty when it is not there. */
export const listIn = (value: unknown): readonly string[] =>
  (Array.isArray(value) ? value : value === undefined ? [] : [value])
    .filter((text) => typeof text === 'string')
    .flatMap((text) => text.split(','))
    .filter((text) => text !== '');

const rowsMax = 1_000_000_000;

export class PageQuery extends AuditQuery {
  @IsOptional() @Type(() => Number) @IsInt() @Min(0) @Max(rowsMax) readonly offset: number = 0;
  @IsOptional() @Type(() => Number) @IsInt() @Min(-rowsMax) @Max(rowsMax) readonly limit: number = 100;
}
