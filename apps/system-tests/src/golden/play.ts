import type { Client } from '../../../../tools/day/client';
import { moveClock, settled, timeOf } from '../../../../tools/day/day';
import type { SystemUnderTest } from '../system';
import { actionNamed } from './actions';
import { openAccount } from './actions/accounts';
import { upload } from './actions/catalogs';
import { endMisbehaviour } from './actions/payments';
import { type GoldenCase, type Step, goldenCatalog } from './case-file';
import { differences } from './expectations';
import { refusalDiffers } from './expectations/refusals';
import { overdueDocument } from './overdue-document';
import { Refusal, requestsOf } from './requests';
import { type Stage, newStage } from './stage';
import { tenantSettings } from './tenant-settings';
import { stillLookedAt } from './withdrawn-usage';

/** A step did not end as the case says. */
class Differs extends Error {
  override readonly name = 'Differs';
}

/** A case that did not end as it says; `lateMs` is how far its tenant's clock ran ahead of a step while that was done. */
export class CaseFailed extends Error {
  override readonly name = 'CaseFailed';
  constructor(
    message: string,
    readonly lateMs: number,
    options?: { readonly cause: unknown },
  ) {
    super(message, options);
  }
}

/** The shop as it is before the first step: settings, overdue states, catalog, and the account a1. */
const setUp = async (player: Player, { config, overdue, account, steps }: GoldenCase): Promise<void> => {
  const { stage } = player;
  const settings = tenantSettings(config);
  if (settings !== null)
    await stage.requests.send('POST', '/tenants/uploadPerTenantConfig', { type: 'text/plain', body: settings });
  if (overdue !== undefined)
    await stage.requests.send('POST', '/overdue/xml', { type: 'text/xml', body: overdueDocument(overdue) });
  // A case that uploads versions on its way starts without any.
  if (!steps.some(({ action }) => action === 'uploadCatalog'))
    for (const version of stage.catalog.versions) await upload(stage, version);
  await reach(player, account.createdAt);
  await openAccount(stage, { ref: 'a1', ...account }, account.createdAt);
};

const act = async (stage: Stage, step: Step): Promise<Refusal | null> => {
  try {
    await actionNamed(step.action)(stage, (step.args ?? {}) as never, step);
    return null;
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
};

type Player = { readonly stage: Stage; readonly api: Client; lateMs: number };

/** Everything that an action or a move of the clock sets off is done, before anything is looked at. */
const calm = async ({ stage, api }: Player): Promise<void> => {
  await settled(api);
  await endMisbehaviour(stage);
};

const playStep = async (player: Player, step: Step): Promise<readonly string[]> => {
  const refusal = refusalDiffers(step, await act(player.stage, step));
  if (step.action !== 'advanceClock') player.lateMs = Math.max(player.lateMs, await aheadOf(player, step.at));
  if (refusal !== null) return [refusal];
  if (step.action !== 'advanceClock') await calm(player);
  return differences(player.stage, step);
};

/** Time goes on while a case is played. Half a second is nothing; later, what falls due moves behind the next step. */
const driftMaxMs = 500;

const aheadOf = async ({ api }: Player, at: string): Promise<number> => (await timeOf(api)).getTime() - Date.parse(at);

/** Moves the clock to a step, or back to it. Everything due on the way is done before. */
const reach = async (player: Player, at: string): Promise<void> => {
  const ahead = await aheadOf(player, at);
  if (ahead >= 0 && ahead < driftMaxMs) return;
  await moveClock(player.api, new Date(at));
  await endMisbehaviour(player.stage);
};

/**
 * One case from an empty tenant of its own to its last step, through the public API. Throws at the first step that ends
 * otherwise than the case says, and says how.
 */
export const play = async (system: SystemUnderTest, golden: GoldenCase): Promise<void> => {
  const { api } = await system.newTenant();
  const stage = newStage(requestsOf(api), system.store, goldenCatalog(golden.catalog));
  const player: Player = { stage, api, lateMs: 0 };
  await reach(player, golden.account.createdAt);
  await setUp(player, golden);
  await settled(api);
  for (const [i, step] of golden.steps.entries()) {
    try {
      await reach(player, step.at);
      const differing = await playStep(player, step);
      if (differing.length > 0) throw new Differs(differing.join('\n  '));
    } catch (error) {
      const where = `${golden.id} step ${String(i + 1)}, ${step.action} at ${step.at}`;
      const message = `${where}: ${error instanceof Error ? error.message : String(error)}`;
      throw new CaseFailed(message, player.lateMs, { cause: error });
    }
  }
  for (const usage of player.stage.withdrawn) {
    const looks = await stillLookedAt(system.store, usage);
    if (looks.length > 0) throw new Differs(`${golden.id}: ${looks.join('\n  ')}`);
  }
};
