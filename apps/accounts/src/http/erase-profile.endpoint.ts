import { accountEmailsStream, profileStream } from '@billstream/accounts-domain';
import { type RequestContext, RequestCtx, unwrap } from '@billstream/http';
import { Controller, Delete, HttpCode, Inject, Param } from '@nestjs/common';
import { type Accounts, accountsToken, stepOf } from '../accounts';
import { existingAccount } from './find-account';
import { accountProblem } from './problems';

/** Forgets the person behind an account; what they owe and paid stays. The stream itself is truncated by an operator. */
@Controller('v1/accounts')
export class EraseProfileEndpoint {
  constructor(@Inject(accountsToken) private readonly accounts: Accounts) {}

  @Delete(':accountId/profile')
  @HttpCode(204)
  async eraseProfile(@Param('accountId') id: string, @RequestCtx() context: RequestContext): Promise<void> {
    const { accountId } = await existingAccount(this.accounts, context.tenantId, id);
    const command = { type: 'EraseProfile' as const, data: { accountId } };
    const erased = await this.accounts.profile(
      profileStream(accountId),
      command,
      stepOf(context, this.accounts, 'erase'),
    );
    const emails = await this.accounts.accountEmails(
      accountEmailsStream(accountId),
      { type: 'EraseEmails', data: { accountId } },
      stepOf(context, this.accounts, 'erase-emails'),
    );
    const { position } = unwrap(emails, accountProblem(accountId));
    await this.accounts.runtime.visible(position ?? unwrap(erased, accountProblem(accountId)).position);
  }
}
