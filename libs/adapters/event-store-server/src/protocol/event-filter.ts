import type { StoredEvent } from '../storage/stored-event';
import { invalidArgument } from './failures';
import type { Message } from './wire';

export interface EventFilter {
  matches(event: StoredEvent): boolean;
  /** After so many events looked at, taken or not, the reader is told how far it is. */
  readonly checkpointEvery: number;
}

const DEFAULT_WINDOW = 32;

const expressionIn = (expression: Message): ((text: string) => boolean) => {
  const pattern = expression.text(1);
  if (pattern !== '') {
    const regex = compile(pattern);
    return (text) => regex.test(text);
  }
  const prefixes = expression.texts(2);
  return (text) => prefixes.some((prefix) => text.startsWith(prefix));
};

/** Patterns are written for another dialect; the lenient reading takes escapes that the strict one refuses. */
const compile = (pattern: string): RegExp => {
  for (const flags of ['u', '']) {
    try {
      return new RegExp(pattern, flags);
    } catch {
      continue;
    }
  }
  throw invalidArgument(`not a regular expression: ${pattern}`);
};

/** FilterOptions: 1 by stream, 2 by type, 3 window, 5 checkpoint interval as a multiple of the window. */
export const filterIn = (options: Message): EventFilter => {
  const byStream = options.has(1);
  const matches = expressionIn(options.message(byStream ? 1 : 2));
  const window = options.has(3) && options.number(3) > 0 ? options.number(3) : DEFAULT_WINDOW;
  return {
    matches: byStream ? (event) => matches(event.stream) : (event) => matches(event.type),
    checkpointEvery: window * Math.max(1, options.number(5)),
  };
};
