/** Letters, digits, `-`, `.`, `_` and `~` written as `%XX` mean the same as plain (RFC 3986 §2.3). */
const unreserved = /%(?:2[de]|3\d|4[1-9a-f]|5[\daf]|6[1-9a-f]|7[\dae])/gi;
/** Not allowed in a URL, and a slash or nothing to some who read one. */
const forbidden = /[\u0000-\u0020\\]/g;

const encoded = (character: string): string =>
  `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;

/**
 * A request's URL in the one way that gateway and services read alike: without a fragment, its path written plainly. Else
 * a request could be allowed under one path and be served under another. Null: steps up or stays (`..`, `.`), which a
 * service in this process would follow.
 */
export const plainUrl = (url: string): string | null => {
  const [whole = ''] = url.split('#', 1);
  const mark = whole.indexOf('?');
  const path = (mark < 0 ? whole : whole.slice(0, mark))
    .replace(unreserved, decodeURIComponent)
    .replace(forbidden, encoded);
  return /(^|\/)\.{1,2}(\/|$)/.test(path) ? null : `${path}${mark < 0 ? '' : whole.slice(mark)}`;
};
