import type { StoredEvent } from './stored-event';

type Page = readonly StoredEvent[];

/**
 * Fetches the next page while the reader is busy with this one, as long as pages come from the log; those in memory
 * need no head start. An early page that is empty is fetched again: the end of the log may have moved since.
 */
export const createReadAhead = (fetch: (from: number) => Page | Promise<Page>, nextOf: (page: Page) => number) => {
  let ahead: { readonly from: number; readonly page: Promise<Page> } | undefined;

  const begin = (from: number): void => {
    const page = fetch(from);
    if (!(page instanceof Promise)) return;
    page.catch(() => undefined); // whoever asks for this page gets the error
    ahead = { from, page };
  };

  return async (from: number): Promise<Page> => {
    const early = ahead?.from === from ? await ahead.page : [];
    ahead = undefined;
    const fetched = early.length > 0 ? early : fetch(from);
    const page = await fetched;
    if (page.length > 0 && (early.length > 0 || fetched instanceof Promise)) begin(nextOf(page));
    return page;
  };
};
