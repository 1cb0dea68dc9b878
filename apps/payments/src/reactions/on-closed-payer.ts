import type { AccountsEvent } from '@billstream/accounts-contracts';
import type { PublicEvent } from '@billstream/event-sourcing';
import { notBefore } from '@billstream/kernel';
import { invoicePaymentsStream, payerAccountStream } from '@billstream/payments-domain';
import { paymentsOfAccount } from '@billstream/payments-read-models';
import { Controller, Inject } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { type Payments, causedBy, paymentsToken } from '../payments';
import { settled } from './settled';

type AccountClosed = PublicEvent<
  'accounts.account-closed.v1',
  Extract<AccountsEvent, { readonly type: 'accounts.account-closed.v1' }>['data']
>;

/**
 * An account that is closed with `removeFutureNotifications` is not charged again by itself: its planned retries end, and
 * what is under way is not tried again when it fails.
 */
@Controller()
export class OnClosedPayer {
  constructor(@Inject(paymentsToken) private readonly payments: Payments) {}

  @EventPattern('accounts.account-closed.v1')
  async endRetries(@Payload() event: AccountClosed): Promise<void> {
    const { runtime, invoicePayments, payer } = this.payments;
    const { accountId, removeFutureNotifications } = event.data;
    if (!removeFutureNotifications) return;
    const now = notBefore(event.at, runtime.clock.now(event.tenantId));
    const command = { type: 'EndRetries' as const, data: { accountId, now } };
    settled(await payer(payerAccountStream(accountId), command, causedBy(event, 'end retries')));
    await runtime.caughtUp();
    for (const { paymentId, invoiceId, retryAt } of await paymentsOfAccount(
      runtime.database,
      event.tenantId,
      accountId,
    )) {
      if (invoiceId === null || retryAt === null) continue;
      const command = { type: 'CancelRetry' as const, data: { paymentId, now } };
      const ended = await invoicePayments(invoicePaymentsStream(invoiceId), command, causedBy(event, invoiceId));
      // It has been retried or paid meanwhile.
      if (ended.outcome !== 'rejected') settled(ended);
    }
  }
}
