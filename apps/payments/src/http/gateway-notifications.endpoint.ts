import { type RequestContext, RequestCtx } from '@billstream/http';
import { Controller, HttpCode, Inject, Param, Post, Req } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiOperation } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { type Payments, paymentsToken } from '../payments';
import { takeNotification } from '../take-notification';

/** Where payment providers, or who passes on what they send, tell that something happened at their place. */
@Controller('1.0/kb/paymentGateways/notification')
export class GatewayNotificationsEndpoint {
  constructor(@Inject(paymentsToken) private readonly payments: Payments) {}

  /** As in Kill Bill the query stands for the body where there is none. Answered 200 without a body. */
  @Post(':pluginName')
  @HttpCode(200)
  @ApiConsumes('*/*')
  @ApiBody({ schema: { type: 'string' }, required: false })
  @ApiOperation({ operationId: 'processNotification', summary: 'Take what a payment provider tells' })
  async take(
    @Param('pluginName') pluginName: string,
    @Req() { body, url }: FastifyRequest,
    @RequestCtx() context: RequestContext,
  ): Promise<void> {
    const sent = typeof body === 'string' ? body : '';
    const payload = sent === '' ? url.slice(url.indexOf('?') + 1 || url.length) : sent;
    await takeNotification(this.payments, context, { pluginName, payload });
  }
}
