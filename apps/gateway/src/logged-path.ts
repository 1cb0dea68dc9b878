const hidden = '[redacted]';

/** A path as logs may keep it: without what somebody searched for, and without anything that looks like an e-mail address. */
export const loggedPath = (path: string): string =>
  path
    .split('/')
    .map((part, index, parts) => (parts[index - 1] === 'search' || /@|%40/i.test(part) ? hidden : part))
    .join('/');
