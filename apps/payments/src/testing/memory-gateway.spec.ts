import { describeGatewayContract } from '@billstream/payments-gateways/testing';
import type { PaymentGateway } from '@billstream/payments-gateways';
import { memoryGateway } from './memory-gateway';

let distanceMs = 0;
const provider = memoryGateway(() => Date.now() + distanceMs);
const unreachable: PaymentGateway = {
  ...provider.gateway,
  charge: () => Promise.resolve({ kind: 'NotExecuted', why: 'unreachable', evidence: {} }),
};

describeGatewayContract('the provider in memory', () => ({
  gateway: provider.gateway,
  unreachable,
  currency: 'USD',
  credential: () => Promise.resolve(provider.credential()),
  plan: (fault) => {
    provider.plan(fault);
    return Promise.resolve();
  },
  ledger: (invoiceRef) =>
    Promise.resolve(
      provider
        .rows()
        .filter((row) => row.invoiceRef === invoiceRef)
        .map(({ kind, transactionId, money }) => ({
          kind,
          transactionId,
          invoiceRef,
          amount: String(money.minor),
          currency: money.currency,
          status: 'completed',
        })),
    ),
  violations: () => Promise.resolve([]),
  fetchSettled: async (input) => {
    distanceMs = 2 * 3_600_000;
    const fetched = await provider.gateway.fetchByRef(input);
    distanceMs = 0;
    return fetched;
  },
}));
