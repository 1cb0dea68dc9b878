import type { Answer, EmulatorRequest } from '../core/http-answer';
import type { Face, Forced, ProviderCall } from '../core/provider-face';
import { showApproval, submitApproval } from './approval-page';
import { failure, toAnswer, type NvpReply } from './nvp-envelope';
import { doReferenceTransaction, refundTransaction } from './nvp-payments';
import { getTransactionDetails, transactionSearch } from './nvp-search';
import {
  billAgreementUpdate,
  createBillingAgreement,
  getExpressCheckoutDetails,
  setExpressCheckout,
} from './nvp-setup';
import { fingerprint, PROVIDER, type NvpOperation, type PayPal } from './paypal-context';
import { payPalActions } from './paypal-control';

const OPERATIONS: Readonly<Record<string, NvpOperation>> = {
  SetExpressCheckout: setExpressCheckout,
  GetExpressCheckoutDetails: getExpressCheckoutDetails,
  CreateBillingAgreement: createBillingAgreement,
  DoReferenceTransaction: doReferenceTransaction,
  RefundTransaction: refundTransaction,
  BillAgreementUpdate: billAgreementUpdate,
  TransactionSearch: transactionSearch,
  GetTransactionDetails: getTransactionDetails,
};

/** These carry their own idempotency and interpret a forced outcome themselves. */
const MONEY_OPERATIONS: ReadonlySet<string> = new Set(['DoReferenceTransaction', 'RefundTransaction']);
const CREDENTIAL_FIELDS = ['USER', 'PWD', 'SIGNATURE'] as const;
const API_PATH = '/nvp';
const PAGE_PATH = '/cgi-bin/webscr';

export const createPayPalFace = (paypal: PayPal): Face => ({
  name: PROVIDER,
  owns: (path) => path === API_PATH || path === PAGE_PATH,
  page: (request) => page(paypal, request),
  call: (request) => (request.path === API_PATH && request.method === 'POST' ? readCall(paypal, request) : undefined),
  actions: payPalActions(paypal),
});

const page = (paypal: PayPal, { path, method, query, body }: EmulatorRequest): Answer | undefined => {
  if (path !== PAGE_PATH) return undefined;
  const fields = method === 'POST' ? new URLSearchParams(body) : query;
  if (fields.get('cmd') !== '_express-checkout') return undefined;
  if (method === 'POST') return submitApproval(paypal, fields);
  return method === 'GET' ? showApproval(paypal, fields) : undefined;
};

const readCall = (paypal: PayPal, { body }: EmulatorRequest): ProviderCall => {
  const fields = new URLSearchParams(body);
  const complete = CREDENTIAL_FIELDS.every((name) => fields.get(name));
  const merchant = complete ? fingerprint(paypal, fields.get('USER') ?? '') : '';
  // Nothing past this line can log, store or answer with a credential, because it is no longer there.
  CREDENTIAL_FIELDS.forEach((name) => fields.delete(name));

  const get = (name: string): string | undefined => fields.get(name) ?? undefined;
  const text = (name: string, otherwise = ''): string => fields.get(name) ?? otherwise;
  const method = text('METHOD');
  const frame = (reply: NvpReply): Answer => toAnswer(reply, { version: text('VERSION', '204'), now: paypal.now() });
  const operation = Object.hasOwn(OPERATIONS, method) ? OPERATIONS[method] : undefined;
  const key = MONEY_OPERATIONS.has(method) ? get('MSGSUBID') : undefined;

  return {
    operation: operation ? method : 'unknown',
    invoiceRef: get('INVNUM') ?? get('INVOICEID'),
    credential: get('REFERENCEID'),
    operationKey: key,
    lock: key && [PROVIDER, merchant, method, key].join(' '),
    run: (forced) => {
      if (!complete) return frame(failure('10002', 'USER, PWD and SIGNATURE are required.'));
      if (!operation) return frame(failure('10004', 'METHOD is missing or not supported.'));
      const refused = MONEY_OPERATIONS.has(method) ? undefined : forcedCode(forced);
      return frame(refused ? failure(refused) : operation(paypal, { get, text, merchant, forced }));
    },
    inProgress: () => frame(failure('11604')),
  };
};

const forcedCode = (forced: Forced | undefined): string | undefined => {
  if (!forced || forced.effect === 'pending') return undefined;
  return forced.code ?? (forced.effect === 'rate-limit' ? '10014' : '10001');
};
