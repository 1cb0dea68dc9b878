import { Transform, Type } from 'class-transformer';
import { IsBoolean, IsIn, IsInt, IsOptional, IsString, Matches, Max, Min } from 'class-validator';

const asSwitch = Transform(({ value }: { value: unknown }) =>
  value === true || value === '1' || value === 'true'
    ? true
    : value === false || value === '0' || value === 'false'
      ? false
      : value,
);

const port = (value: object, name: string): void => {
  Type(() => Number)(value, name);
  IsInt()(value, name);
  Min(0)(value, name);
  Max(65_535)(value, name);
};

const days = (value: object, name: string): void => {
  Type(() => Number)(value, name);
  IsInt()(value, name);
  Min(1)(value, name);
  Max(365)(value, name);
};

const postgresUrl = Matches(/^postgres(ql)?:\/\//, { message: '$property must be a postgres:// URL' });
const amqpUrl = Matches(/^amqps?:\/\//, { message: '$property must be an amqp:// or amqps:// URL' });
const eventStoreUrl = Matches(/^(esdb|kurrentdb)(\+discover)?:\/\//, { message: '$property must be an esdb:// URL' });
const httpUrl = Matches(/^https?:\/\//, { message: '$property must be an http:// or https:// URL' });
const key32 = Matches(/^[0-9a-f]{64}$/i, { message: '$property must be 32 bytes in hex' });

/** What every process understands. Unset addresses mean embedded, where the process can embed; see docs/configuration. */
export class PlatformConfig {
  @port readonly PORT: number = 8080;
  @IsOptional() @IsString() readonly HOST?: string;
  @IsOptional() @port readonly KILLBILL_PORT?: number;
  @port readonly EMULATOR_PORT: number = 8090;
  @port readonly METRICS_PORT: number = 9464;
  @IsString() readonly DATA_DIR: string = '.billstream';
  @IsOptional() @postgresUrl readonly DATABASE_URL?: string;
  @IsOptional() @amqpUrl readonly RABBITMQ_URL?: string;
  @IsOptional() @eventStoreUrl readonly EVENTSTORE_URL?: string;
  @IsOptional() @postgresUrl readonly EVENTSTORE_DATABASE_URL?: string;
  @asSwitch @IsBoolean() readonly TEST_CLOCK: boolean = false;
  /** Off, with the test clock on, only for the crash test's negative control: every message, command and usage record that comes again is then a new one. */
  @asSwitch @IsBoolean() readonly RECOGNISE_REPEATS: boolean = true;
  /** Left out: allowed in the embedded mode, whose callbacks are on the same machine. */
  @IsOptional() @asSwitch @IsBoolean() readonly PRIVATE_CALLBACKS?: boolean;
  /** After how many days usage that was staged and not committed is given up. */
  @days readonly USAGE_BACKFILL_DAYS: number = 7;
  @IsOptional() @IsString() readonly ADMIN_USER?: string;
  @IsOptional() @IsString() readonly ADMIN_PASSWORD?: string;
  @IsOptional() @IsString() readonly BOOTSTRAP_TENANT_KEY?: string;
  @IsOptional() @IsString() readonly BOOTSTRAP_TENANT_SECRET?: string;
  @IsIn(['emulator', 'sandbox', 'live']) readonly PAYPAL_MODE: 'emulator' | 'sandbox' | 'live' = 'emulator';
  @IsOptional() @key32 readonly SECRETS_KEY?: string;
  @IsOptional()
  @Matches(/^.{16,}$/, { message: '$property must have at least 16 characters' })
  readonly INNER_SECRET?: string;
  @IsOptional() @httpUrl readonly EMULATOR_URL?: string;
  @IsOptional() @httpUrl readonly PUBLIC_URL?: string;
  @IsIn(['trace', 'debug', 'info', 'warn', 'error', 'silent']) readonly LOG_LEVEL: string = 'info';
}

/** A service in a process of its own embeds nothing: every address and secret is required. */
export class ServiceConfig {
  @port readonly PORT: number = 0;
  @IsString() readonly HOST: string = '127.0.0.1';
  @port readonly METRICS_PORT: number = 0;
  @IsString() readonly DATA_DIR: string = '.billstream';
  @postgresUrl readonly DATABASE_URL!: string;
  @amqpUrl readonly RABBITMQ_URL!: string;
  @eventStoreUrl readonly EVENTSTORE_URL!: string;
  @asSwitch @IsBoolean() readonly TEST_CLOCK: boolean = false;
  /** Off, with the test clock on, only for the crash test's negative control: every message, command and usage record that comes again is then a new one. */
  @asSwitch @IsBoolean() readonly RECOGNISE_REPEATS: boolean = true;
  @IsIn(['emulator', 'sandbox', 'live']) readonly PAYPAL_MODE: 'emulator' | 'sandbox' | 'live' = 'emulator';
  /** Tenants' callbacks may be at addresses that are not public. */
  @asSwitch @IsBoolean() readonly PRIVATE_CALLBACKS: boolean = false;
  /** After how many days usage that was staged and not committed is given up. */
  @days readonly USAGE_BACKFILL_DAYS: number = 7;
  @IsOptional() @IsString() readonly ADMIN_USER?: string;
  @IsOptional() @IsString() readonly ADMIN_PASSWORD?: string;
  @IsOptional() @IsString() readonly BOOTSTRAP_TENANT_KEY?: string;
  @IsOptional() @IsString() readonly BOOTSTRAP_TENANT_SECRET?: string;
  @key32 readonly SECRETS_KEY!: string;
  @Matches(/^.{16,}$/, { message: '$property must have at least 16 characters' }) readonly INNER_SECRET!: string;
  @httpUrl readonly EMULATOR_URL: string = 'http://127.0.0.1:8090';
  @httpUrl readonly PUBLIC_URL: string = 'http://127.0.0.1:8080';
  @IsIn(['trace', 'debug', 'info', 'warn', 'error', 'silent']) readonly LOG_LEVEL: string = 'info';
}
