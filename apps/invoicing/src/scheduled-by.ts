/** The event that put a piece of work on the list: its cause, and what names the command. */
export const scheduledBy = (payload: object): string => {
  if ('scheduledBy' in payload && typeof payload.scheduledBy === 'string') return payload.scheduledBy;
  throw new TypeError(`a piece of due work does not say what scheduled it: ${JSON.stringify(payload)}`);
};
