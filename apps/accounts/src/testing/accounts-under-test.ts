import { tenantClock } from '@billstream/kernel';
import { type ServiceUnderTest, serviceUnderTest } from '@billstream/service-runtime/testing';
import { accountsService } from '../index';

/** The service's endpoints over the memory store and a real database; `visible` applies the log to the read models. */
export const accountsUnderTest = (): Promise<ServiceUnderTest> =>
  serviceUnderTest(
    accountsService,
    tenantClock(() => 0),
  );
