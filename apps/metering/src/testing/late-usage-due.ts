import { lateUsageKind } from '@billstream/metering-read-models';
import type { DueItem } from '@billstream/postgres';
import { countLateUsage } from '../late-usage';
import type { meteringUnderTest } from './metering-under-test';

type System = Awaited<ReturnType<typeof meteringUnderTest>>;

const dueSql = `
select kind, key, tenant_id as "tenantId", due_at as "dueAt", payload from due_work
where kind = $1 and tenant_id = $2 order by due_at, key`;

/** Does the due work of late usage until none is left, as the due worker of a running service would. */
export const settleLateUsage = async ({ runtime, tenantId }: System): Promise<number> => {
  const { [lateUsageKind]: count } = countLateUsage(runtime);
  await runtime.caughtUp();
  for (let done = 0; ;) {
    const items = await runtime.database.query<DueItem>(dueSql, [lateUsageKind, tenantId]);
    if (items.length === 0) return done;
    for (const item of items) await count(item);
    done += items.length;
    await runtime.caughtUp();
  }
};
