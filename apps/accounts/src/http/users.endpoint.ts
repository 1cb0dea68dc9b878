import { type UserCommand, userStream } from '@billstream/accounts-domain';
import { userByName } from '@billstream/accounts-read-models';
import { type RequestContext, RequestCtx, locationOf, requestContextOf, unwrap } from '@billstream/http';
import { hashSecret } from '@billstream/secrets';
import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Put, Req, Res } from '@nestjs/common';
import { IsArray, IsNotEmpty, IsOptional, IsString, MaxLength } from 'class-validator';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Accounts, accountsToken } from '../accounts';
import { platformStepOf } from '../platform';
import { lookTwice } from './find-account';
import { invalidValue, unknownUser, userProblem } from './problems';

/** Kill Bill's UserRoles. */
class UserRolesRequest {
  @IsOptional() @IsString() @IsNotEmpty() @MaxLength(128) readonly username?: string | null;
  @IsOptional() @IsString() @IsNotEmpty() @MaxLength(128) readonly password?: string | null;
  @IsOptional() @IsArray() @IsString({ each: true }) @MaxLength(128, { each: true }) readonly roles?: string[] | null;
}

/** Who may log in beside the administrator of the configuration. */
@Controller('1.0/kb/security/users')
export class UsersEndpoint {
  constructor(@Inject(accountsToken) private readonly accounts: Accounts) {}

  @Post()
  @HttpCode(201)
  async addUser(
    @Body() { username, password, roles }: UserRolesRequest,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const userName = present(username, 'username');
    const { administrator } = this.accounts.runtime.settings;
    if (userName === administrator?.user) throw userProblem(userName)({ code: 'user-exists' });
    const passwordHash = await hashSecret(present(password, 'password'));
    const data = { userName, passwordHash, roles: distinct(roles) };
    await this.change(userName, { type: 'AddUser', data }, requestContextOf(request));
    const path = `/1.0/kb/security/users/${encodeURIComponent(userName)}/roles`;
    void reply.header('Location', locationOf(request, path));
  }

  @Put(':username/password')
  @HttpCode(204)
  async changePassword(
    @Param('username') userName: string,
    @Body() { password }: UserRolesRequest,
    @RequestCtx() context: RequestContext,
  ): Promise<void> {
    const passwordHash = await hashSecret(present(password, 'password'));
    await this.change(userName, { type: 'ChangePassword', data: { passwordHash } }, context);
  }

  @Get(':username/roles')
  async roles(@Param('username') userName: string) {
    const found = await lookTwice(this.accounts, () => userByName(this.accounts.runtime.database, userName));
    if (found === null) throw unknownUser(userName);
    return { username: found.userName, password: null, roles: found.roles };
  }

  @Put(':username/roles')
  @HttpCode(204)
  async changeRoles(
    @Param('username') userName: string,
    @Body() { roles }: UserRolesRequest,
    @RequestCtx() context: RequestContext,
  ): Promise<void> {
    await this.change(userName, { type: 'ChangeRoles', data: { roles: distinct(roles) } }, context);
  }

  @Delete(':username')
  @HttpCode(204)
  async invalidate(@Param('username') userName: string, @RequestCtx() context: RequestContext): Promise<void> {
    await this.change(userName, { type: 'InvalidateUser', data: {} }, context);
  }

  private async change(userName: string, command: UserCommand, context: RequestContext): Promise<void> {
    const { accounts } = this;
    const changed = await accounts.user(userStream(userName), command, platformStepOf(context, accounts, 'user'));
    await accounts.runtime.visible(unwrap(changed, userProblem(userName)).position);
  }
}

const present = (text: string | null | undefined, field: string): string => {
  if (text === null || text === undefined) throw invalidValue(`${field} must not be missing`);
  return text;
};

const distinct = (roles: readonly string[] | null | undefined): readonly string[] => [...new Set(roles ?? [])];
