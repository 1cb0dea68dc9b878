/** An event of a stream as the HTML standard has it; `id` is that of the last event that named one. */
export type StreamEvent = { readonly id: string; readonly event: string; readonly data: string };

/** Takes the text of a stream in whatever pieces it comes, and gives the events that are complete. */
export const eventReader = (): ((text: string) => readonly StreamEvent[]) => {
  let rest = '';
  let id = '';
  let event = '';
  let data: string[] = [];
  const take = (line: string): StreamEvent | null => {
    if (line === '') {
      const done = data.length === 0 ? null : { id, event: event === '' ? 'message' : event, data: data.join('\n') };
      event = '';
      data = [];
      return done;
    }
    const colon = line.indexOf(':');
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'id') id = value;
    if (field === 'event') event = value;
    if (field === 'data') data.push(value);
    return null;
  };
  return (text) => {
    rest += text;
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    return lines.flatMap((line) => take(line.replace(/\r$/, '')) ?? []);
  };
};
