import { everyPermission, expandPermissions, parsePermission, roleStream } from '@billstream/accounts-domain';
import { allRoles, roleByName, userByName } from '@billstream/accounts-read-models';
import { type RequestContext, RequestCtx, locationOf, requestContextOf, unwrap } from '@billstream/http';
import { Body, Controller, Get, HttpCode, Inject, Param, Post, Put, Req, Res } from '@nestjs/common';
import { IsArray, IsNotEmpty, IsString, MaxLength } from 'class-validator';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Accounts, accountsToken } from '../accounts';
import { platformStepOf } from '../platform';
import { lookTwice } from './find-account';
import { invalidPermission, roleProblem, unknownRole } from './problems';

/** Kill Bill's RoleDefinition. */
class RoleRequest {
  @IsString() @IsNotEmpty() @MaxLength(128) readonly role!: string;
  @IsArray() @IsString({ each: true }) readonly permissions!: string[];
}

/** Roles, and what the one who asks may do. */
@Controller('1.0/kb/security')
export class RolesEndpoint {
  constructor(@Inject(accountsToken) private readonly accounts: Accounts) {}

  @Get('permissions')
  async currentPermissions(@RequestCtx() { user }: RequestContext) {
    return expandPermissions(await this.grantedTo(user));
  }

  @Get('subject')
  subject(@RequestCtx() { user }: RequestContext) {
    return { principal: user, isAuthenticated: true, isRemembered: false, session: null };
  }

  @Get('roles')
  roles() {
    return allRoles(this.accounts.runtime.database);
  }

  @Get('roles/:role')
  async role(@Param('role') name: string) {
    const found = await lookTwice(this.accounts, () => roleByName(this.accounts.runtime.database, name));
    if (found === null) throw unknownRole(name);
    return found;
  }

  @Post('roles')
  @HttpCode(201)
  async addRole(
    @Body() body: RoleRequest,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    await this.record('AddRole', body, requestContextOf(request));
    const path = `/1.0/kb/security/roles/${encodeURIComponent(body.role)}`;
    void reply.header('Location', locationOf(request, path));
  }

  @Put('roles')
  @HttpCode(204)
  changeRole(@Body() body: RoleRequest, @RequestCtx() context: RequestContext): Promise<void> {
    return this.record('ChangeRole', body, context);
  }

  private async record(
    type: 'AddRole' | 'ChangeRole',
    { role, permissions }: RoleRequest,
    context: RequestContext,
  ): Promise<void> {
    const { accounts } = this;
    const kept = permissions.map((text) => {
      const permission = parsePermission(text);
      if (permission === null) throw invalidPermission(text);
      return permission;
    });
    const command = { type, data: { role, permissions: [...new Set(kept)] } };
    const recorded = await accounts.role(roleStream(role), command, platformStepOf(context, accounts, 'role'));
    await accounts.runtime.visible(unwrap(recorded, roleProblem(role)).position);
  }

  private async grantedTo(user: string): Promise<readonly string[]> {
    const { database, settings } = this.accounts.runtime;
    if (user === settings.administrator?.user) return [everyPermission];
    return (await userByName(database, user))?.permissions ?? [];
  }
}
