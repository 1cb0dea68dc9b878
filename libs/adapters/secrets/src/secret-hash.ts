import { type BinaryLike, type ScryptOptions, randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

const cost = { N: 16_384, r: 8, p: 1 };
const hashBytes = 32;

const derive = (secret: BinaryLike, salt: Buffer, options: ScryptOptions): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    scrypt(secret, salt, hashBytes, options, (error, hash) => {
      if (error) reject(error);
      else resolve(hash);
    });
  });

/** A salted scrypt hash as text, `scrypt$N$r$p$salt$hash`: slow on purpose (about 50 ms), never the secret itself. */
export const hashSecret = async (secret: string): Promise<string> => {
  const salt = randomBytes(16);
  const hash = await derive(secret.normalize('NFKC'), salt, cost);
  return ['scrypt', cost.N, cost.r, cost.p, salt.toString('base64url'), hash.toString('base64url')].join('$');
};

/** Compares in constant time; false for a text that is no such hash. */
export const matchesHash = async (secret: string, hashed: string): Promise<boolean> => {
  const [scheme, n, r, p, salt, hash] = hashed.split('$');
  if (scheme !== 'scrypt' || salt === undefined || hash === undefined) return false;
  const expected = Buffer.from(hash, 'base64url');
  if (expected.length !== hashBytes) return false;
  const options = { N: Number(n), r: Number(r), p: Number(p) };
  return timingSafeEqual(await derive(secret.normalize('NFKC'), Buffer.from(salt, 'base64url'), options), expected);
};
