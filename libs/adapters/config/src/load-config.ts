import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';

/** Names every problem of the environment at once, never a value: values may be secrets. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
  constructor(readonly problems: readonly string[]) {
    super(`The configuration is not usable:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
  }
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads the environment once into an instance of the class, validates and freezes it. An empty variable counts as unset. */
export const loadConfig = <T extends object>(
  shape: new () => T,
  environment: Environment = process.env,
): Readonly<T> => {
  const given = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value.trim() !== ''),
  );
  const config = plainToInstance(shape, given, { exposeDefaultValues: true });
  const problems = validateSync(config, {
    whitelist: true,
    stopAtFirstError: true,
    validationError: { target: false, value: false },
  });
  if (problems.length > 0)
    throw new ConfigurationError(
      problems.flatMap(({ property, constraints }) => Object.values(constraints ?? { property })),
    );
  return Object.freeze(config);
};
