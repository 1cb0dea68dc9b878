import { html, redirect, type Answer } from '../core/http-answer';
import { isExpired } from './nvp-setup';
import { payerIdOf, record, type PayPal } from './paypal-context';
import type { CheckoutToken } from './paypal-state';

const DEFAULT_EMAIL = 'buyer@example.com';
const EMAIL = /^[^\s@]{1,64}@[^\s@]{1,190}$/;

export const showApproval = (paypal: PayPal, query: URLSearchParams): Answer => {
  const token = findOpen(paypal, query.get('token'));
  return 'body' in token ? token : html(approvalPage(token));
};

export const submitApproval = (paypal: PayPal, form: URLSearchParams): Answer => {
  const token = findOpen(paypal, form.get('token'));
  if ('body' in token) return token;
  return redirect(form.get('choice') === 'agree' ? approve(paypal, token, form.get('email')) : cancel(paypal, token));
};

/** Agreeing twice (a double click, the back button) leads to the same place and changes nothing. */
export const approve = (paypal: PayPal, token: CheckoutToken, email: string | null): string => {
  const chosen = email && EMAIL.test(email) ? email : DEFAULT_EMAIL;
  const agreed = token.status === 'approved' || token.status === 'used' ? token.payer : undefined;
  const payer = agreed ?? { payerId: payerIdOf(chosen), email: chosen };
  if (!agreed) record(paypal, { type: 'token-approved', token: token.token, payer });
  return extend(token.returnUrl, `token=${encodeURIComponent(token.token)}&PayerID=${payer.payerId}`);
};

export const cancel = (paypal: PayPal, token: CheckoutToken): string => {
  if (token.status === 'open' || token.status === 'approved')
    record(paypal, { type: 'token-cancelled', token: token.token });
  return extend(token.cancelUrl, `token=${encodeURIComponent(token.token)}`);
};

/** The merchant's own query stays as it was written, byte for byte. */
const extend = (url: string, pairs: string): string => {
  const [address = '', ...fragment] = url.split('#');
  const joint = !address.includes('?') ? '?' : /[?&]$/.test(address) ? '' : '&';
  return [`${address}${joint}${pairs}`, ...fragment].join('#');
};

export const findOpen = (paypal: PayPal, id: string | null): CheckoutToken | Answer => {
  const token = paypal.state.token(id ?? '');
  if (!token)
    return html(frame('Not found', '<p>There is no such checkout. Return to the shop and start again.</p>'), 404);
  if (isExpired(token, paypal.now()))
    return html(
      frame('Expired', '<p>This checkout is older than three hours. Return to the shop and start again.</p>'),
      410,
    );
  return token;
};

const approvalPage = ({ token, brandName, description, currency }: CheckoutToken): string =>
  frame(
    'Agree to future payments',
    `<p class="lead"><strong>${escape(brandName ?? 'The merchant')}</strong> asks to charge your account for future purchases.</p>
<dl><dt>Agreement</dt><dd>${escape(description || 'Billing agreement')}</dd>
<dt>Currency</dt><dd>${escape(currency)}</dd><dt>Due today</dt><dd>Nothing</dd></dl>
<form method="post" action="/cgi-bin/webscr">
<input type="hidden" name="cmd" value="_express-checkout">
<input type="hidden" name="token" value="${escape(token)}">
<label for="email">Pay as</label>
<input id="email" name="email" type="email" value="${DEFAULT_EMAIL}" maxlength="254">
<button class="agree" name="choice" value="agree">Agree and Continue</button>
<button class="cancel" name="choice" value="cancel" formnovalidate>Cancel and return</button>
</form>`,
  );

const STYLE = `body{margin:0;background:#f2f5f9;color:#1c2733;font:16px/1.5 system-ui,sans-serif}
main{max-width:25rem;margin:3rem auto;background:#fff;border-radius:12px;padding:2rem;box-shadow:0 2px 12px #0b2a4a1f}
h1{font-size:1.35rem;margin:0 0 1rem}.note{color:#5b6b7b;font-size:.85rem;margin:0 0 1.25rem}
dl{display:grid;grid-template-columns:auto 1fr;gap:.4rem 1rem;margin:1.25rem 0;padding:1rem 0;border:solid #dfe6ee;border-width:1px 0}
dt{color:#5b6b7b}dd{margin:0;text-align:right;overflow-wrap:anywhere}label{font-size:.85rem;color:#5b6b7b}
input[type=email]{width:100%;box-sizing:border-box;padding:.6rem;margin:.2rem 0 1rem;border:1px solid #b8c4d0;border-radius:6px;font:inherit}
button{width:100%;padding:.8rem;border-radius:999px;font:inherit;font-weight:600;cursor:pointer;margin-top:.5rem}
.agree{background:#0b5bd3;border:1px solid #0b5bd3;color:#fff}.cancel{background:none;border:1px solid #b8c4d0;color:#1c2733}`;

const frame = (title: string, content: string): string => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>${title}</title><style>${STYLE}</style></head>
<body><main><p class="note">Payment emulator. No real account, no real money.</p><h1>${title}</h1>
${content}
</main></body></html>
`;

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const escape = (text: string): string => text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
