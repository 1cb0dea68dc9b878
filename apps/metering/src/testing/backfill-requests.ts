import { type meteringUnderTest } from './metering-under-test';
import { overHttp } from './metering-over-http';

const path = '/v1/usage/backfills';
export const may = (day: number, hour = 0) =>
  `2024-05-${String(day).padStart(2, '0')}T${String(hour).padStart(2, '0')}:00:00.000Z`;
export const firstWeek = { from: may(1), to: may(8), units: ['analytics'] };

/** What a test asks of backfills over HTTP, and what counts afterwards; the service may be made later than this. */
export const backfillsOf = (system: () => Awaited<ReturnType<typeof meteringUnderTest>>) => {
  const { json, unit } = overHttp(system);
  return {
    json,
    unit,
    path,
    send: (records: readonly object[]) => json('POST', '/v1/usage/events', [...records]),
    open: async (more: object = {}) => {
      const asked = { name: 'week 18', reason: 'the collector was down', mode: 'ADD', ...firstWeek, ...more };
      const { status, body } = await json('POST', path, asked);
      expect(status).toBe(201);
      return body.backfillId as string;
    },
    stage: (id: string, part: string, records: readonly unknown[]) =>
      json('PUT', `${path}/${id}/parts/${part}`, [...records]),
    commit: (id: string) => json('POST', `${path}/${id}/commit`),
    revert: (id: string) => json('POST', `${path}/${id}/revert`, { reason: 'wrong file' }),
    preview: async (id: string, query = '') => (await json('GET', `${path}/${id}/preview${query}`)).body,
    record: (user: string, id: string, amount: number, time = may(3)) => ({
      ...{ unit: 'analytics', user, id, source: 's', amount, time },
    }),
    total: async (user: string, from = may(1), to = may(9)) => {
      await system().runtime.caughtUp();
      const { body } = await json('GET', `/v1/usage?unit=analytics&user=${user}&from=${from}&to=${to}`);
      return (body.usage[0]?.sum ?? '0') as string;
    },
    /** Every record that counts, byte for byte. */
    counted: async () => {
      await system().runtime.caughtUp();
      const rows = await system().database.query<{ row: string }>(
        'select row_to_json(t)::text as row from usage_records t',
      );
      return rows.map(({ row }) => row).sort();
    },
  };
};
