import { createLogger } from '@billstream/observability';
import { gatewayConfig } from './config';
import { httpDispatch } from './http-dispatch';
import { startGateway } from './listen';

/** The gateway as a process of its own, in front of five services that are processes of theirs. */
const main = async (): Promise<void> => {
  const { services, logLevel, ...config } = gatewayConfig(process.env);
  const logger = createLogger({ service: 'gateway', level: logLevel });
  const upstreams = {
    accounts: httpDispatch(services.accounts),
    subscriptions: httpDispatch(services.subscriptions),
    metering: httpDispatch(services.metering),
    invoicing: httpDispatch(services.invoicing),
    payments: httpDispatch(services.payments),
  };
  const gateway = await startGateway({ ...config, upstreams, logger, defaultTenant: null });
  logger.info({ ports: gateway.ports }, 'listening');
  const stop = async (): Promise<void> => {
    await gateway.close();
    await Promise.all(Object.values(upstreams).map((upstream) => upstream.close()));
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stop());
};

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
