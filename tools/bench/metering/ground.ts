import { callerOf } from '../caller';
import type { World } from '../world';
import { limitedUnit } from './dataset';

const limitAmount = 1_000_000;

/** Defines the unit that limits users; the others are there from the start. */
export const defineUnits = async (world: World): Promise<void> => {
  const caller = callerOf(world, 1);
  const rules = [{ limitAmount, limitRefreshInterval: 'HOUR' }];
  try {
    await caller.expect(
      201,
      'POST',
      '/meter/units',
      JSON.stringify({ name: limitedUnit, countingMethod: 'SUM', rules }),
    );
  } finally {
    await caller.close();
  }
};

export const tenantOf = async (world: World): Promise<string> => {
  const caller = callerOf(world, 1);
  try {
    const key = world.headers['x-killbill-apikey'] ?? '';
    const { text } = await caller.expect(200, 'GET', `/1.0/kb/tenants?apiKey=${encodeURIComponent(key)}`);
    return (JSON.parse(text) as { readonly tenantId: string }).tenantId;
  } finally {
    await caller.close();
  }
};
