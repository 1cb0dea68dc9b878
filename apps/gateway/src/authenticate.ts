import type { IncomingHttpHeaders } from 'node:http';
import type { Credentials, Identity } from './inner-api';
import { knownIdentities } from './known-identities';
import type { LoginAttempts } from './login-attempts';

/** Who asks: empty texts where a path needs no user or no tenant and none was presented. */
export type Caller = {
  readonly user: string;
  readonly tenantId: string;
  /** What they may do; `*` is everything. */
  readonly permissions: readonly string[];
};

/** `waitSeconds`: too many failed logins went before. */
export type Refused =
  { readonly refused: 'user' | 'tenant' } | { readonly refused: 'attempts'; readonly waitSeconds: number };

export type AuthenticationOptions = {
  readonly authenticate: (credentials: Credentials) => Promise<Identity>;
  /** The tenant of metering calls without credentials; only the embedded mode has one. */
  readonly defaultTenant: { readonly apiKey: string; readonly apiSecret: string } | null;
  /** Counts failed logins; left out: nobody is held up. */
  readonly attempts?: LoginAttempts;
  readonly now?: () => number;
};

type Need = { readonly user: boolean; readonly tenant: boolean };

/**
 * Which paths need whom (Kill Bill's TenantFilter and Shiro rules): a user for everything under `/1.0/kb`, a tenant too
 * except for the paths that make or find tenants and those about the server itself. Plugins decide for themselves, so
 * both are optional there. Our own paths need both.
 */
export const needOf = (path: string): Need => {
  if (path.startsWith('/plugins/')) return { user: false, tenant: false };
  if (path.startsWith('/1.0/kb/'))
    return {
      user: true,
      tenant: !(path === '/1.0/kb/tenants' || path === '/1.0/kb/nodesInfo' || /^\/1\.0\/kb\/security(\/|$)/.test(path)),
    };
  return { user: true, tenant: true };
};

/** Finds out who asks, and whether they need to say so. */
export const authenticator = ({ authenticate, defaultTenant, attempts, now = Date.now }: AuthenticationOptions) => {
  const { identify, isKnown } = knownIdentities(authenticate, now);

  /** Who presents credentials that a path asks for; what is not known yet counts as a failure until it has succeeded. */
  const admit = async (presented: Credentials, need: Need, address: string): Promise<Caller | Refused> => {
    const names = { address, login: presented.user ?? presented.apiKey ?? '' };
    const counted = attempts === undefined || isKnown(presented) ? null : attempts;
    const waitSeconds = counted?.begin(names) ?? null;
    if (waitSeconds !== null) return { refused: 'attempts', waitSeconds };
    const caller = callerOf(await identify(presented), need);
    if (!('refused' in caller)) counted?.succeeded(names);
    return caller;
  };

  const unauthenticated = async (path: string): Promise<Caller | Refused | null> => {
    if (defaultTenant === null || !isMetering(path)) return null;
    const { tenantId } = await identify({ user: null, password: null, ...defaultTenant });
    return tenantId === null ? { refused: 'tenant' } : { user: 'meter', tenantId, permissions: ['*'] };
  };

  return async (path: string, headers: IncomingHttpHeaders, address = ''): Promise<Caller | Refused> => {
    const presented = credentialsOf(headers);
    const isBare = Object.values(presented).every((value) => value === null);
    const meter = isBare ? await unauthenticated(path) : null;
    if (meter !== null) return meter;
    const need = needOf(path);
    if (need.user && presented.user === null) return { refused: 'user' };
    if (need.tenant && presented.apiKey === null) return { refused: 'tenant' };
    return isBare ? { user: '', tenantId: '', permissions: [] } : admit(presented, need, address);
  };
};

const callerOf = ({ user, tenantId, permissions, problems }: Identity, need: Need): Caller | Refused => {
  if (problems.includes('user-unknown')) return { refused: 'user' };
  // Who makes a tenant may send the headers it is going to have; where a tenant is optional, a wrong one is refused.
  if (problems.length > 0 && (need.tenant || !need.user)) return { refused: 'tenant' };
  return { user: user ?? '', tenantId: tenantId ?? '', permissions };
};

const isMetering = (path: string): boolean => /^\/(meter|kb\/catalog)(\/|$)/.test(path);

const credentialsOf = (headers: IncomingHttpHeaders): Credentials => ({
  ...basic(headers.authorization),
  ...apiKey(headers),
});

const apiKey = (headers: IncomingHttpHeaders): Pick<Credentials, 'apiKey' | 'apiSecret'> => {
  const key = first(headers['x-killbill-apikey']);
  return { apiKey: key, apiSecret: key === null ? null : (first(headers['x-killbill-apisecret']) ?? '') };
};

const first = (value: string | string[] | undefined): string | null =>
  (Array.isArray(value) ? value[0] : value) ?? null;

/** RFC 7617: base64 of `user:password`, the password may hold colons. Anything else is nobody. */
const basic = (header: string | undefined): Pick<Credentials, 'user' | 'password'> => {
  const [, encoded] = /^basic\s+([a-z0-9+/=_-]+)\s*$/i.exec(header ?? '') ?? [];
  const text = encoded === undefined ? '' : Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  // No name holds U+0000, and no database could look for it.
  return colon < 0 || text.includes('\u0000')
    ? { user: null, password: null }
    : { user: text.slice(0, colon), password: text.slice(colon + 1) };
};
