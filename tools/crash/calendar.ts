/** The dates of the played day. The run sets the tenant's clock, so they do not depend on when it is run. */
export const hourMs = 3_600_000;
export const dayMs = 24 * hourMs;

const utc = (month: number, day: number): number => Date.UTC(2030, month, day);

/** Accounts open on 5 January 2030; their trial of thirty days ends on 4 February. */
export const openingAt = utc(0, 5) + hourMs;

/** Start of the n-th paid month: the 4th of February, March, … at midnight UTC. */
export const monthStart = (month: number): number => utc(1 + month, 4);

/** Late enough in the day that everything due at some minute of the opening hour is due, early enough to stay in it. */
export const workingHour = 6 * hourMs;

/** Days of a paid month on which usage is sent. */
export const usageDays = [2, 9, 16] as const;

export const dateOf = (atMs: number): string => new Date(atMs).toISOString().slice(0, 10);
