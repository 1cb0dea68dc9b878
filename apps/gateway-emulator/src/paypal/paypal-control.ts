import { json } from '../core/http-answer';
import type { LedgerStatus } from '../core/money-ledger';
import type { ControlAction } from '../core/provider-face';
import { approve, cancel, findOpen } from './approval-page';
import { book, PROVIDER, record, type PayPal } from './paypal-context';
import type { PayPalSettings } from './paypal-state';

const STATUSES: Readonly<Record<string, LedgerStatus>> = {
  Completed: 'completed',
  Pending: 'pending',
  Denied: 'denied',
  Reversed: 'reversed',
};

/** Acts for the payer and for PayPal's back office: everything that reaches a merchant without the merchant asking. */
export const payPalActions = (paypal: PayPal): Readonly<Record<string, ControlAction>> => ({
  approve: (input) => answer(paypal, input, (token) => approve(paypal, token, text(input['email']))),
  cancel: (input) => answer(paypal, input, (token) => cancel(paypal, token)),
  settle: ({ transactionId, status }) => {
    const row = paypal.ledger.find(String(transactionId));
    const to = STATUSES[String(status)];
    if (row?.provider !== PROVIDER || !to)
      return json({ error: 'transaction-or-status-unknown', statuses: Object.keys(STATUSES) }, 400);
    book(paypal, { type: 'settled', transactionId: row.transactionId, status: to });
    return json({ transactionId: row.transactionId, status });
  },
  'cancel-agreement': ({ billingAgreementId }) => {
    const agreement = paypal.state.agreement(String(billingAgreementId));
    if (!agreement) return json({ error: 'agreement-unknown' }, 404);
    record(paypal, { type: 'agreement-updated', id: agreement.id, to: { status: 'Canceled' } });
    return json({ billingAgreementId: agreement.id, status: 'Canceled' });
  },
  settings: (input) => {
    const settings = readSettings(paypal.state.settings(), input);
    if (!settings) return json({ error: 'setting-unknown', settings: paypal.state.settings() }, 400);
    record(paypal, { type: 'settings-changed', settings });
    return json(paypal.state.settings());
  },
});

const answer = (
  paypal: PayPal,
  input: Readonly<Record<string, unknown>>,
  act: (token: Exclude<ReturnType<typeof findOpen>, { body: string }>) => string,
) => {
  const token = findOpen(paypal, text(input['token']));
  if ('body' in token) return json({ error: token.status === 410 ? 'token-expired' : 'token-unknown' }, token.status);
  return json({ url: act(token) });
};

const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);

const readSettings = (
  current: PayPalSettings,
  input: Readonly<Record<string, unknown>>,
): Partial<PayPalSettings> | undefined => {
  const known = new Map<string, unknown>(Object.entries(current));
  const fits = Object.entries(input).every(
    ([name, value]) =>
      known.has(name) && typeof value === typeof known.get(name) && (typeof value !== 'number' || value >= 0),
  );
  return fits ? input : undefined;
};
