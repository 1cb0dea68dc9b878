import { MeteringClientError } from './client-error';
import type { RejectedUsage } from './rejects';

/** A user of the platform and the tenant it acts for. */
export type Credentials = {
  readonly user: string;
  readonly password: string;
  readonly apiKey: string;
  readonly apiSecret: string;
};

export type SpoolOptions = {
  /** Bytes of records that are kept on disk until they are sent; at least two segments. Default 256 MiB. */
  readonly bytesMax?: number;
  /** Size at which a new file is begun; at least 128 KiB. Default 8 MiB. */
  readonly segmentBytes?: number;
  /** `REJECT` (default): a record for which there is no room is refused at once. `WAIT`: `record` waits for room. */
  readonly whenFull?: 'REJECT' | 'WAIT';
  /**
   * `DISK` (default): a record is kept once the disk has it. `OS`: once the operating system has it, which outlives the
   * process and not the machine.
   */
  readonly durability?: 'DISK' | 'OS';
};

export type ShippingOptions = {
  /** Records of a request; the server takes up to 1,000, the default. */
  readonly batchMax?: number;
  /** How long a batch that is not full waits for more. Default 200 ms. */
  readonly lingerMs?: number;
  /** After this a request is taken for lost and sent again. Default 30 s. */
  readonly timeoutMs?: number;
  /** Wait after the first failure; it doubles with each, up to `retryMaxMs`. Defaults 200 ms and 30 s. */
  readonly retryMs?: number;
  readonly retryMaxMs?: number;
};

export type LimitOptions = {
  /** Answers that are older than this are stale: the server is asked before they are given. Default 45 s. */
  readonly staleAfterMs?: number;
  /** How long a check waits for the server when it knows nothing fresh. Default 1 s. */
  readonly timeoutMs?: number;
  /**
   * What a check says when nothing fresh is known and the server does not answer in time. `LAST_KNOWN` (default): what
   * was known last, and yes to a user of whom nothing ever was; `ALLOW` and `DENY` say the same to everybody.
   */
  readonly whenUnavailable?: 'LAST_KNOWN' | 'ALLOW' | 'DENY';
  /** Users that are remembered; who was not asked for the longest is forgotten first. Default 10,000. */
  readonly usersMax?: number;
};

export type MeteringClientOptions = {
  /** Base URL of the API, e.g. `https://billing.example.com`. */
  readonly url: string;
  readonly credentials: Credentials;
  /** A folder on a local disk that belongs to one running process; it is made if it is not there. */
  readonly directory: string;
  /** With a record's id its name for ever; for records that name none. Default `metering-client`. */
  readonly source?: string;
  readonly spool?: SpoolOptions;
  readonly shipping?: ShippingOptions;
  readonly limits?: LimitOptions;
  /** Told of each record that the server did not take; it is in `rejects.jsonl` of the directory by then. */
  readonly onRejected?: (rejected: RejectedUsage) => void;
  /** Told of each failed attempt to send or to listen. Nothing is lost by it: it is tried again. */
  readonly onError?: (error: Error) => void;
};

export type Settings = {
  readonly url: string;
  readonly credentials: Credentials;
  readonly directory: string;
  readonly source: string;
  readonly spool: Required<SpoolOptions>;
  readonly shipping: Required<ShippingOptions>;
  readonly limits: Required<LimitOptions>;
  readonly onRejected: (rejected: RejectedUsage) => void;
  readonly onError: (error: Error) => void;
};

const mebibyte = 1024 * 1024;
const serverBatchMax = 1_000;
/** Twice what a record may have: each fits into half a segment. */
const segmentBytesMin = 128 * 1024;
const nothing = (): void => undefined;

/** The options with what they leave out, or the first fault in them. */
export const settingsOf = (options: MeteringClientOptions): Settings => {
  const { url, credentials, directory, source = 'metering-client' } = options;
  if (!isHttpUrl(url)) throw invalid('url', 'is an http or https URL');
  for (const name of ['user', 'password', 'apiKey', 'apiSecret'] as const)
    if (!isText(credentials[name])) throw invalid(`credentials.${name}`, 'is a text');
  if (!isText(directory)) throw invalid('directory', 'is the path of a folder');
  if (!isText(source) || source.length > 255) throw invalid('source', 'is a text of 1 to 255 characters');
  return {
    url: url.replace(/\/+$/, ''),
    ...{ credentials, directory, source },
    spool: spoolOf(options.spool),
    shipping: shippingOf(options.shipping),
    limits: limitsOf(options.limits),
    onRejected: options.onRejected ?? nothing,
    onError: options.onError ?? nothing,
  };
};

const spoolOf = (options: SpoolOptions = {}): Required<SpoolOptions> => {
  const segmentBytes = atLeast('spool.segmentBytes', options.segmentBytes ?? 8 * mebibyte, segmentBytesMin);
  const bytesMax = atLeast('spool.bytesMax', options.bytesMax ?? 256 * mebibyte, 2 * segmentBytes);
  return {
    ...{ segmentBytes, bytesMax },
    whenFull: oneOf('spool.whenFull', options.whenFull ?? 'REJECT', ['REJECT', 'WAIT']),
    durability: oneOf('spool.durability', options.durability ?? 'DISK', ['DISK', 'OS']),
  };
};

const shippingOf = (options: ShippingOptions = {}): Required<ShippingOptions> => {
  const batchMax = atLeast('shipping.batchMax', options.batchMax ?? serverBatchMax, 1);
  if (batchMax > serverBatchMax) throw invalid('shipping.batchMax', `is at most ${serverBatchMax}`);
  const retryMs = atLeast('shipping.retryMs', options.retryMs ?? 200, 1);
  return {
    ...{ batchMax, retryMs },
    lingerMs: atLeast('shipping.lingerMs', options.lingerMs ?? 200, 0),
    timeoutMs: atLeast('shipping.timeoutMs', options.timeoutMs ?? 30_000, 1),
    retryMaxMs: atLeast('shipping.retryMaxMs', options.retryMaxMs ?? Math.max(30_000, retryMs), retryMs),
  };
};

const limitsOf = (options: LimitOptions = {}): Required<LimitOptions> => ({
  staleAfterMs: atLeast('limits.staleAfterMs', options.staleAfterMs ?? 45_000, 1),
  timeoutMs: atLeast('limits.timeoutMs', options.timeoutMs ?? 1_000, 1),
  whenUnavailable: oneOf('limits.whenUnavailable', options.whenUnavailable ?? 'LAST_KNOWN', [
    'LAST_KNOWN',
    'ALLOW',
    'DENY',
  ]),
  usersMax: atLeast('limits.usersMax', options.usersMax ?? 10_000, 1),
});

const invalid = (option: string, fault: string): MeteringClientError =>
  new MeteringClientError('invalid-option', `${option} ${fault}`, option);

const isText = (value: unknown): value is string => typeof value === 'string' && value.length > 0;

const isHttpUrl = (value: unknown): value is string =>
  typeof value === 'string' && URL.canParse(value) && /^https?:$/.test(new URL(value).protocol);

const atLeast = (option: string, value: number, least: number): number => {
  if (!Number.isSafeInteger(value) || value < least) throw invalid(option, `is a whole number of at least ${least}`);
  return value;
};

const oneOf = <Value extends string>(option: string, value: Value, values: readonly Value[]): Value => {
  if (!values.includes(value)) throw invalid(option, `is one of ${values.join(', ')}`);
  return value;
};
