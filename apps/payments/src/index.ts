import { paymentsPublication, paymentsStreams } from '@billstream/payments-domain';
import {
  auditReadModel,
  paymentMethodsReadModel,
  paymentsReadModel,
  pluginConfigsReadModel,
} from '@billstream/payments-read-models';
import type { ServiceDefinition } from '@billstream/service-runtime';
import { lookAfterPayments } from './background';
import { paymentsDueWork } from './due-work';
import { paymentsModule, paymentsOf } from './payments.module';

/** Payment methods, and the payments that invoices ask for. */
export const paymentsService: ServiceDefinition = {
  name: 'payments',
  streams: paymentsStreams,
  readModels: [paymentMethodsReadModel, pluginConfigsReadModel, paymentsReadModel, auditReadModel],
  publication: paymentsPublication,
  hears: ['accounts', 'invoicing'],
  dueWork: (runtime) => paymentsDueWork(paymentsOf(runtime)),
  module: paymentsModule,
  background: (runtime, signal) => lookAfterPayments(paymentsOf(runtime), signal),
};
