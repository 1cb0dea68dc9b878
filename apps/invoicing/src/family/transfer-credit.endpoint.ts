import { type RequestContext, RequestCtx } from '@billstream/http';
import { Controller, HttpCode, Inject, Param, Put } from '@nestjs/common';
import { existingAccount } from '../http/find-account';
import { issue } from '../http/issue';
import { invalidValue } from '../http/problems';
import { type Invoicing, contextOf, invoicingToken } from '../invoicing';
import { giveTransferredCredit } from './follow-family';

@Controller('1.0/kb/accounts')
export class TransferCreditEndpoint {
  constructor(@Inject(invoicingToken) private readonly invoicing: Invoicing) {}

  /** All credit of a child goes to its parent; 400 for an account without a parent (3009) or without credit (4027). */
  @Put(':childAccountId/transferCredit')
  @HttpCode(204)
  async transferChildCreditToParent(
    @Param('childAccountId') id: string,
    @RequestCtx() context: RequestContext,
  ): Promise<void> {
    const { invoicing } = this;
    const { accountId } = await existingAccount(invoicing, context.tenantId, id);
    await this.assertOneCurrency(accountId);
    const now = invoicing.runtime.clock.now(context.tenantId);
    const events = await issue(invoicing, context, accountId, { type: 'TransferCredit', now });
    const moved = events.find((event) => event.type === 'CreditTransferred');
    if (moved?.type !== 'CreditTransferred') return;
    // Told to the parent anyway; here, too, so that the answer comes when both accounts have it.
    await giveTransferredCredit(invoicing, moved.data, contextOf(context, invoicing));
    await invoicing.runtime.caughtUp();
  }

  /** Nothing is converted: credit that left in one currency would arrive as as much of another. */
  private async assertOneCurrency(accountId: string): Promise<void> {
    const { account } = await this.invoicing.stateOf(accountId);
    if (account?.parentAccountId === undefined) return;
    const parent = (await this.invoicing.stateOf(account.parentAccountId)).account;
    if (parent?.currency === account.currency) return;
    throw invalidValue(`parentAccountId: the parent of ${accountId} has another currency`);
  }
}
