import { type RequestContext, locationOf, requestContextOf, unwrap } from '@billstream/http';
import { type AccountInvoicesEvent, accountInvoicesStream, reusableDraft } from '@billstream/invoicing-domain';
import { type InvoicedAccount, invoicedAccount } from '@billstream/invoicing-read-models';
import { Controller, Inject, Post, Query, Req, Res } from '@nestjs/common';
import { IsOptional, IsString } from 'class-validator';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Invoicing, contextOf, invoicingToken } from '../invoicing';
import { dateFrom } from './dates';
import { existingAccount, lookUntil } from './find-account';
import { invalidValue, invoiceProblem } from './problems';

export class RunQuery {
  @IsOptional() @IsString() readonly accountId?: string;
  @IsOptional() @IsString() readonly targetDate?: string;
}

/** How long a client waits for metering before it is told that there is nothing (yet). */
const usagePatienceMs = 5_000;

@Controller('1.0/kb/invoices')
export class CreateInvoiceEndpoint {
  constructor(@Inject(invoicingToken) private readonly invoicing: Invoicing) {}

  /** 201 and where the invoice is; 404 without a body when there is nothing to invoice (Kill Bill 1.14). */
  @Post()
  async create(
    @Query() query: RunQuery,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const context = requestContextOf(request);
    const account = await existingAccount(this.invoicing, context.tenantId, accountIdOf(query));
    const invoiceId = await runInvoice(this.invoicing, account, query, context);
    if (invoiceId === null) void reply.status(404);
    else void reply.status(201).header('Location', locationOf(request, `/1.0/kb/invoices/${invoiceId}`));
  }
}

/**
 * Runs invoicing for an account: the id of the invoice it makes; where runs add to one draft, the id of that draft, whether
 * there was more to add or not; null when there is nothing to invoice.
 */
export const runInvoice = async (
  invoicing: Invoicing,
  account: InvoicedAccount,
  query: RunQuery,
  request: RequestContext,
): Promise<string | null> => {
  const { accountId } = account;
  const { runtime, accountInvoices } = invoicing;
  const now = runtime.clock.now(request.tenantId);
  const command = { type: 'Invoice' as const, targetDate: dateFrom('targetDate', query.targetDate), now };
  const handled = await accountInvoices(accountInvoicesStream(accountId), command, contextOf(request, invoicing));
  const { events, state, position } = unwrap(handled, invoiceProblem(accountId));
  await runtime.visible(position);
  const made = invoiceMadeBy(events);
  if (made !== null) return made;
  const draftId = reusableDraft(state, accountId);
  return state.pending === null ? draftId : afterUsage(invoicing, account, { tenantId: request.tenantId, draftId });
};

/**
 * The run goes on when metering has answered; the invoice it makes then is the one that was asked for, or else the draft
 * that runs add to.
 */
const afterUsage = async (
  { runtime }: Invoicing,
  { accountId, lastInvoiceId }: InvoicedAccount,
  { tenantId, draftId }: { readonly tenantId: string; readonly draftId: string | null },
): Promise<string | null> => {
  const look = (): Promise<InvoicedAccount | null> => invoicedAccount(runtime.database, tenantId, accountId);
  const seen = await lookUntil(look, (account) => account?.awaitsUsage === false, usagePatienceMs);
  if (seen === null) return null;
  if (seen.lastInvoiceId !== lastInvoiceId) return seen.lastInvoiceId;
  return seen.awaitsUsage ? null : draftId;
};

/** The invoice that a run made or added to; null when it made none. */
const invoiceMadeBy = (events: readonly AccountInvoicesEvent[]): string | null => {
  for (const { type, data } of events)
    if (type === 'InvoiceCommitted' || type === 'InvoiceDrafted' || type === 'DraftExtended') return data.invoiceId;
  return null;
};

export const accountIdOf = ({ accountId }: { readonly accountId?: string }): string => {
  if (accountId === undefined || accountId === '') throw invalidValue('accountId: an account is needed');
  return accountId;
};
