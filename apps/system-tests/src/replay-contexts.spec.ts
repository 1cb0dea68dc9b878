import { accountsService } from '@billstream/app/accounts';
import { invoicingService } from '@billstream/app/invoicing';
import { meteringService } from '@billstream/app/metering';
import { paymentsService } from '@billstream/app/payments';
import { contexts } from '@billstream/app/replay';
import { subscriptionsService } from '@billstream/app/subscriptions';

/** The operators' CLI may not import services, so it lists their parts again: here the two lists are held together. */
describe('what operators see of', () => {
  const services = [accountsService, subscriptionsService, meteringService, invoicingService, paymentsService];

  it.each(services.map((service) => [service.name, service] as const))('%s is what it is made of', (name, service) => {
    const context = contexts.find((one) => one.name === name);
    expect(context?.streams.filter((prefix) => !context.private.includes(prefix))).toEqual(service.streams);
    expect(context?.readModels).toEqual(service.readModels);
    expect(context?.hears).toEqual(service.hears);
    const unfolded = service.streams.filter(
      (prefix) => !context?.aggregates.some((aggregate) => aggregate.prefix === prefix),
    );
    expect(unfolded).toEqual([]);
  });
});
