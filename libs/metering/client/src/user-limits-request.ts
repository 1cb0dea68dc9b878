import type { Api } from './billstream-api';
import type { UnitLimit } from './known-limits';

export type UserLimits = {
  readonly units: Map<string, UnitLimit>;
  readonly atMs: number;
  /** For how long usage that is taken and not counted has been waiting. */
  readonly uncountedMs: number;
};

type Page = {
  readonly at: string;
  readonly freshness: { readonly ageMs: number };
  readonly next: string | null;
  readonly limits: readonly (UnitLimit & { readonly unit: string })[];
};

const pageSize = 1_000;

/** Every unit that limits the user. Throws when the server does not say so in time. */
export const requestUserLimits = async (api: Api, user: string, deadlineMs: number): Promise<UserLimits> => {
  const units = new Map<string, UnitLimit>();
  const path = `/v1/users/${encodeURIComponent(user)}/limits`;
  for (let after: string | null = null; ;) {
    const query: string = after === null ? '' : `&after=${encodeURIComponent(after)}`;
    const answer = await api.get(`${path}?limit=${pageSize}${query}`, Math.max(deadlineMs - Date.now(), 1));
    if (answer.kind === 'FAILED') throw answer.error;
    if (answer.status !== 200 || !isPage(answer.body)) throw new Error(`${path} answered ${answer.status}`);
    const { at, freshness, next, limits } = answer.body;
    for (const { unit, state, exhausted, current, limit, remaining, resetAt, changedAt } of limits)
      units.set(unit, { state, exhausted, current, limit, remaining, resetAt, changedAt });
    if (next === null) return { units, atMs: Date.parse(at), uncountedMs: freshness.ageMs };
    after = next;
  }
};

const isPage = (body: unknown): body is Page =>
  typeof body === 'object' && body !== null && Array.isArray((body as Partial<Page>).limits);
