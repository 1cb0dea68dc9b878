import type { ControlTag } from '@billstream/accounts-contracts';
import {
  type TaggedObject,
  accountStream,
  controlTags,
  figures,
  figuresSchema,
  figuresStream,
  objectTagsStream,
} from '@billstream/accounts-domain';
import { type RequestContext, RequestCtx, unwrap } from '@billstream/http';
import { Controller, Delete, HttpCode, Inject, Param, Query } from '@nestjs/common';
import { IsOptional } from 'class-validator';
import { type Accounts, accountsToken, stepOf } from '../accounts';
import { existingAccount } from './find-account';
import { accountProblem, tagProblem } from './problems';
import { isTrue } from './query-values';

/** `ignoreFutureNotifications` is what Kill Bill called the last one before 0.20. */
class CloseQuery {
  @IsOptional() readonly cancelAllSubscriptions?: unknown;
  @IsOptional() readonly writeOffUnpaidInvoices?: unknown;
  @IsOptional() readonly itemAdjustUnpaidInvoices?: unknown;
  @IsOptional() readonly removeFutureNotifications?: unknown;
  @IsOptional() readonly ignoreFutureNotifications?: unknown;
}

/** Ends what an account does (Kill Bill's closeAccount): nothing is invoiced any more, and others are told the rest. */
@Controller('1.0/kb/accounts')
export class CloseAccountEndpoint {
  constructor(@Inject(accountsToken) private readonly accounts: Accounts) {}

  @Delete(':accountId')
  @HttpCode(204)
  async closeAccount(
    @Param('accountId') id: string,
    @Query() query: CloseQuery,
    @RequestCtx() context: RequestContext,
  ): Promise<void> {
    const { accounts } = this;
    const { accountId } = await existingAccount(accounts, context.tenantId, id);
    await this.stopInvoicing(accountId, context);
    const writeOff = isTrue(query.writeOffUnpaidInvoices);
    if (writeOff) await this.writeOff(accountId, context);
    const data = {
      cancelAllSubscriptions: isTrue(query.cancelAllSubscriptions),
      writeOffUnpaidInvoices: writeOff,
      // Where both are asked for, writing off wins.
      itemAdjustUnpaidInvoices: !writeOff && isTrue(query.itemAdjustUnpaidInvoices),
      removeFutureNotifications: isTrue(query.removeFutureNotifications ?? query.ignoreFutureNotifications ?? 'true'),
    };
    const closed = await accounts.account(
      accountStream(accountId),
      { type: 'CloseAccount', data },
      stepOf(context, accounts, 'close'),
    );
    await accounts.runtime.visible(unwrap(closed, accountProblem(accountId)).position);
  }

  private async stopInvoicing(accountId: string, context: RequestContext): Promise<void> {
    const object = { accountId, objectType: 'ACCOUNT' as const, objectId: accountId };
    await this.tag(object, 'AUTO_INVOICING_OFF', context);
  }

  /** The invoices that ask for something, as far as invoicing has told by now. */
  private async writeOff(accountId: string, context: RequestContext): Promise<void> {
    const { store } = this.accounts.runtime;
    const history = await store.read(figuresStream(accountId), 0n);
    const { unpaidInvoices } = history
      .map((recorded) => figuresSchema.decode(recorded))
      .filter((event) => event !== null)
      .reduce(figures.evolve, figures.initial);
    for (const objectId of unpaidInvoices)
      await this.tag({ accountId, objectType: 'INVOICE', objectId }, 'WRITTEN_OFF', context);
  }

  private async tag(object: TaggedObject, name: ControlTag, context: RequestContext): Promise<void> {
    const { accounts } = this;
    const tags = controlTags
      .filter((definition) => definition.name === name)
      .map(({ tagDefinitionId }) => ({ tagDefinitionId, tagDefinitionName: name }));
    const step = stepOf(context, accounts, `tag/${object.objectId}`);
    const command = { type: 'AddTags' as const, data: { object, tags, seed: step.commandId } };
    unwrap(await accounts.objectTags(objectTagsStream(object.objectId), command, step), tagProblem);
  }
}
