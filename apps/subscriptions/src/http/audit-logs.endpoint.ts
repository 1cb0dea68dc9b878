import { type RequestContext, RequestCtx, auditLogJson } from '@billstream/http';
import { auditRecordsOf } from '@billstream/postgres';
import { Controller, Get, Inject, Param } from '@nestjs/common';
import { type Subscriptions, subscriptionsToken } from '../subscriptions';
import { findBundle, findSubscription } from './find-bundle';

/** Who changed a bundle or a subscription, and how. */
@Controller('1.0/kb')
export class AuditLogsEndpoint {
  constructor(@Inject(subscriptionsToken) private readonly subscriptions: Subscriptions) {}

  @Get('bundles/:bundleId/auditLogsWithHistory')
  async historyOfBundle(@Param('bundleId') id: string, @RequestCtx() { tenantId }: RequestContext) {
    const { bundleId } = await findBundle(this.subscriptions, tenantId, id);
    return this.historyOf(tenantId, bundleId);
  }

  @Get('subscriptions/:subscriptionId/auditLogsWithHistory')
  async historyOfSubscription(@Param('subscriptionId') id: string, @RequestCtx() { tenantId }: RequestContext) {
    const { subscription } = await findSubscription(this.subscriptions, tenantId, id);
    return this.historyOf(tenantId, subscription.subscriptionId);
  }

  private async historyOf(tenantId: string, objectId: string) {
    const records = await auditRecordsOf(this.subscriptions.runtime.database, tenantId, [objectId]);
    return records.map((record) => auditLogJson(record, 'with'));
  }
}
