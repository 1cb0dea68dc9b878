import { account, accountKeyStream, accountStream, profileStream } from '@billstream/accounts-domain';
import { type RequestContext, RequestCtx, locationOf, unwrap } from '@billstream/http';
import { derivedId } from '@billstream/kernel';
import { Body, Controller, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Accounts, accountsToken, stepOf } from '../accounts';
import { claimKey } from '../claim';
import { AccountRequest, profileOf, termsOf } from './account-request';
import { isKnownParent } from './find-account';
import { accountProblem } from './problems';

@Controller('1.0/kb/accounts')
export class CreateAccountEndpoint {
  constructor(@Inject(accountsToken) private readonly accounts: Accounts) {}

  @Post()
  @HttpCode(201)
  async createAccount(
    @Body() body: AccountRequest,
    @RequestCtx() context: RequestContext,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const accountId = await this.create(body, context);
    void reply.header('Location', locationOf(request, `/1.0/kb/accounts/${accountId}`));
  }

  /** Judged before the key is claimed, so that a refused request leaves nothing behind; then key, profile, account. */
  private async create(body: AccountRequest, context: RequestContext): Promise<string> {
    const { accounts } = this;
    const { runtime } = accounts;
    const terms = termsOf(body);
    const facts = {
      terms,
      parentKnown: await isKnownParent(accounts, context.tenantId, terms.parentAccountId),
      at: runtime.clock.now(context.tenantId),
    };
    const proposedId = derivedId(context.commandId, 'account');
    const judged = account.decide(
      { type: 'CreateAccount', data: { ...facts, accountId: proposedId } },
      account.initial,
    );
    if ('rejected' in judged) throw accountProblem(proposedId)(judged.rejected);
    const accountId = await this.claim(terms.externalKey ?? proposedId, proposedId, context);
    const fields = profileOf(body);
    const recorded = await accounts.profile(
      profileStream(accountId),
      { type: 'RecordProfile', data: { accountId, fields, onNull: 'reset' } },
      stepOf(context, accounts, 'profile'),
    );
    unwrap(recorded, accountProblem(accountId));
    const created = unwrap(
      await accounts.account(
        accountStream(accountId),
        { type: 'CreateAccount', data: { ...facts, accountId } },
        stepOf(context, accounts, 'create'),
      ),
      accountProblem(accountId),
    );
    await runtime.visible(created.position);
    return accountId;
  }

  private async claim(externalKey: string, proposedId: string, context: RequestContext): Promise<string> {
    const { accounts } = this;
    const claiming = {
      store: accounts.runtime.store,
      handle: accounts.accountKey,
      claimStream: accountKeyStream(context.tenantId, externalKey),
      entityStream: accountStream,
      creatingCommandId: stepOf(context, accounts, 'create').commandId,
    };
    const accountId = await claimKey(claiming, proposedId, stepOf(context, accounts, 'claim'));
    if (accountId === null) throw accountProblem(proposedId)({ code: 'account-exists', externalKey });
    return accountId;
  }
}
