import { objectTagsStream, parkTagId, parkTagName } from '@billstream/accounts-domain';
import { searchTags } from '@billstream/accounts-read-models';
import { type RequestContext, RequestCtx, unwrap } from '@billstream/http';
import { Controller, HttpCode, Inject, Post, Query } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsInt, Max, Min } from 'class-validator';
import { type Accounts, accountsToken, stepOf } from '../accounts';
import { tagProblem } from './problems';

class ParkedQuery {
  @Type(() => Number) @IsInt() @Min(0) @Max(1_000_000_000) readonly offset: number = 0;
  @Type(() => Number) @IsInt() @Min(1) @Max(1_000) readonly limit: number = 100;
}

/** Accounts that are parked because their invoice could not be made. */
@Controller('1.0/kb/admin/invoices')
export class UnparkAccountsEndpoint {
  constructor(@Inject(accountsToken) private readonly accounts: Accounts) {}

  /**
   * Takes parked accounts out of parking, which makes invoicing run for them; one whose invoice fails again is parked
   * again. Answers them by their ids, as Kill Bill does (AdminResource, 0.24). Those of the next page move up: whoever asks
   * for all repeats the request without an offset.
   */
  @Post()
  @HttpCode(200)
  @ApiOperation({
    operationId: 'triggerInvoiceGenerationForParkedAccounts',
    summary: 'Invoice the accounts that are parked',
  })
  async unparkAccounts(
    @Query() { offset, limit }: ParkedQuery,
    @RequestCtx() context: RequestContext,
  ): Promise<Readonly<Record<string, 'OK'>>> {
    const { accounts } = this;
    const { runtime } = accounts;
    await runtime.caughtUp();
    const { rows } = await searchTags(runtime.database, context.tenantId, parkTagId, { offset, limit });
    const tags = [{ tagDefinitionId: parkTagId, tagDefinitionName: parkTagName }];
    const unparked: Record<string, 'OK'> = {};
    for (const { objectId } of rows) {
      const step = stepOf(context, accounts, `unpark/${objectId}`);
      const removed = await accounts.objectTags(
        objectTagsStream(objectId),
        { type: 'RemoveTags', data: { tags } },
        step,
      );
      // Somebody else was faster: it is not parked any more.
      if (removed.outcome !== 'rejected') unwrap(removed, tagProblem);
      unparked[objectId] = 'OK';
    }
    await runtime.caughtUp();
    return unparked;
  }
}
