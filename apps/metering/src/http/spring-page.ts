import { locationOf } from '@billstream/http';
import { Type } from 'class-transformer';
import { IsInt, IsNotEmpty, IsOptional, IsString, Max, Min } from 'class-validator';
import type { FastifyRequest } from 'fastify';

/** The first row of any page is a number that a database can count to. */
const pagesMax = 1_000_000_000;

export class PageQuery {
  @IsOptional() @Type(() => Number) @IsInt() @Min(0) @Max(pagesMax) readonly page?: number;
  @IsOptional() @Type(() => Number) @IsInt() @Min(1) @Max(1000) readonly size?: number;
  /** `property,desc` turns the order round; there is one order to turn, whatever the property. */
  @IsOptional() @IsString() @IsNotEmpty() readonly sort?: string;
}

type Asked = { readonly limit: number; readonly offset: number; readonly descending: boolean };

export const askedPage = ({ page = 0, size = 20, sort }: PageQuery): Asked => ({
  limit: size,
  offset: page * size,
  descending: /,desc$/i.test(sort ?? ''),
});

type Collection = {
  /** Path of the collection, e.g. `/meter/units`; its last segment names what is embedded. */
  readonly path: string;
  readonly items: readonly object[];
  readonly total: number;
};

/** A page of a collection as Spring Data REST writes it: HAL with the links of paging, and the page's own figures. */
export const springPage = ({ path, items, total }: Collection, query: PageQuery, request: FastifyRequest) => {
  const { page: number = 0, size = 20 } = query;
  const totalPages = Math.ceil(total / size);
  const last = Math.max(0, totalPages - 1);
  const link = (page: number) => ({ href: locationOf(request, pageUrl(request.url, page, size)) });
  return {
    _embedded: { [path.slice(path.lastIndexOf('/') + 1)]: items },
    _links: {
      ...(totalPages > 1 ? { first: link(0) } : {}),
      ...(number > 0 ? { prev: link(number - 1) } : {}),
      self: { href: locationOf(request, request.url) },
      ...(number < last ? { next: link(number + 1) } : {}),
      ...(totalPages > 1 ? { last: link(last) } : {}),
      ...(request.url.includes('/search/') ? {} : { search: { href: locationOf(request, `${path}/search`) } }),
    },
    page: { size, totalElements: total, totalPages, number },
  };
};

const pageUrl = (url: string, page: number, size: number): string => {
  const [path = '', search = ''] = url.split('?');
  const parameters = new URLSearchParams(search);
  parameters.set('page', String(page));
  parameters.set('size', String(size));
  return `${path}?${parameters.toString()}`;
};

/** What `/search` of a collection lists: each search with its parameters. */
export const springSearches = (
  path: string,
  searches: Readonly<Record<string, readonly string[]>>,
  request: FastifyRequest,
) => ({
  _links: {
    ...Object.fromEntries(
      Object.entries(searches).map(([name, parameters]) => [
        name,
        { href: `${locationOf(request, `${path}/search/${name}`)}{?${parameters.join(',')}}`, templated: true },
      ]),
    ),
    self: { href: locationOf(request, `${path}/search`) },
  },
});
