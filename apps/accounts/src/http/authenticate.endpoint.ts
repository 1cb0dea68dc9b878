import { everyPermission } from '@billstream/accounts-domain';
import { tenantByApiKey, userByName } from '@billstream/accounts-read-models';
import { knownMatches } from '@billstream/secrets';
import { Body, Controller, HttpCode, Inject, Post } from '@nestjs/common';
import { IsOptional, IsString } from 'class-validator';
import { createHash, timingSafeEqual } from 'node:crypto';
import { type Accounts, accountsToken } from '../accounts';
import { bootstrapTenant } from '../bootstrap';
import { lookTwice } from './find-account';

class AuthenticationRequest {
  @IsOptional() @IsString() readonly user?: string | null;
  @IsOptional() @IsString() readonly password?: string | null;
  @IsOptional() @IsString() readonly apiKey?: string | null;
  @IsOptional() @IsString() readonly apiSecret?: string | null;
}

export type Authentication = {
  /** Null: nobody, because no or wrong credentials were presented. */
  readonly user: string | null;
  readonly tenantId: string | null;
  /** What the user may do; `*` is everything. */
  readonly permissions: readonly string[];
  readonly problems: readonly ('user-unknown' | 'tenant-unknown')[];
};

/** A hash that no secret has: an unknown key costs as much time as a wrong secret. */
const nobody = `scrypt$16384$8$1$${'A'.repeat(22)}$${'A'.repeat(43)}`;

const sameText = (a: string, b: string): boolean => {
  const hash = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(a), hash(b));
};

/** Internal: who the gateway's caller is, as user and as tenant. What was not presented is neither known nor a problem. */
@Controller('internal/authenticate')
export class AuthenticateEndpoint {
  private readonly matches = knownMatches();

  constructor(@Inject(accountsToken) private readonly accounts: Accounts) {}

  @Post()
  @HttpCode(200)
  async authenticate(@Body() { user, password, apiKey, apiSecret }: AuthenticationRequest): Promise<Authentication> {
    const granted = typeof user === 'string' ? await this.permissionsOf(user, password ?? '') : null;
    const isUser = granted !== null;
    const tenantId = typeof apiKey === 'string' ? await this.tenantOf(apiKey, apiSecret ?? '') : null;
    return {
      user: isUser ? (user ?? null) : null,
      tenantId,
      permissions: granted ?? [],
      problems: [
        ...(typeof user === 'string' && !isUser ? (['user-unknown'] as const) : []),
        ...(typeof apiKey === 'string' && tenantId === null ? (['tenant-unknown'] as const) : []),
      ],
    };
  }

  /** Null: nobody with that password. A name nobody has costs as much time as a wrong password. */
  private async permissionsOf(user: string, password: string): Promise<readonly string[] | null> {
    if (this.isAdministrator(user, password)) return [everyPermission];
    const known = await lookTwice(this.accounts, () => userByName(this.accounts.runtime.database, user));
    const isPassword = await this.matches(password, known?.passwordHash ?? nobody);
    return known !== null && isPassword ? known.permissions : null;
  }

  private isAdministrator(user: string, password: string): boolean {
    const { administrator } = this.accounts.runtime.settings;
    if (administrator === null) return false;
    const isUser = sameText(user, administrator.user);
    return sameText(password, administrator.password) && isUser;
  }

  private async tenantOf(apiKey: string, apiSecret: string): Promise<string | null> {
    const { database, settings } = this.accounts.runtime;
    const look = () => tenantByApiKey(database, apiKey);
    const known = await lookTwice(this.accounts, look);
    // Right after the very first start the first tenant may still be on its way: whoever asks for it helps to make it.
    const isFirst = known === null && apiKey === settings.bootstrapTenant?.apiKey;
    if (isFirst) await bootstrapTenant(this.accounts);
    const tenant = isFirst ? await lookTwice(this.accounts, look) : known;
    const isSecret = await this.matches(apiSecret, tenant?.secretHash ?? nobody);
    return tenant !== null && isSecret ? tenant.tenantId : null;
  }
}
