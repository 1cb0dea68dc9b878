import { type RequestContext, RequestCtx, unwrap } from '@billstream/http';
import { bundleStream } from '@billstream/subscriptions-domain';
import { Body, Controller, HttpCode, Inject, Param, Put } from '@nestjs/common';
import { IsString, Length } from 'class-validator';
import { claimBundleKey } from '../external-key';
import { type Subscriptions, stepOf, subscriptionsToken } from '../subscriptions';
import { findBundle } from './find-bundle';
import { bundleProblem } from './problems';

class RenameRequest {
  @IsString() @Length(1, 255) readonly externalKey!: string;
}

@Controller('1.0/kb/bundles')
export class RenameBundleEndpoint {
  constructor(@Inject(subscriptionsToken) private readonly subscriptions: Subscriptions) {}

  @Put(':bundleId/renameKey')
  @HttpCode(204)
  async renameKey(
    @Param('bundleId') id: string,
    @Body() { externalKey }: RenameRequest,
    @RequestCtx() context: RequestContext,
  ): Promise<void> {
    const { subscriptions } = this;
    const { bundleId } = await findBundle(subscriptions, context.tenantId, id);
    await claimBundleKey(subscriptions, context, { key: externalKey, holderId: bundleId, renameUnused: true });
    const step = stepOf(context, subscriptions, 'rename');
    const command = { type: 'RenameKey' as const, data: { now: step.at, externalKey } };
    const renamed = unwrap(await subscriptions.bundle(bundleStream(bundleId), command, step), bundleProblem);
    await subscriptions.runtime.visible(renamed.position);
  }
}
