/** Code and short message. The wording is the emulator's own: clients must go by the code. */
const SHORT_MESSAGES: Readonly<Record<string, string>> = {
  '10001': 'Internal error',
  '10002': 'Authentication or authorization failed',
  '10004': 'Invalid argument',
  '10007': 'Permission denied',
  '10009': 'Transaction refused',
  '10014': 'Too many calls',
  '10201': 'Agreement cancelled',
  '10211': 'Invalid billing agreement id',
  '10411': 'Express Checkout token expired',
  '10412': 'Duplicate invoice',
  '10755': 'Unsupported currency',
  '11002': 'Too many results',
  '11084': 'No funding source',
  '11451': 'Billing agreement not found',
  '11452': 'Reference transactions not enabled',
  '11458': 'Billing agreement not accepted',
  '11604': 'Request with this id in progress',
  '11607': 'Duplicate request',
  '11610': 'Payment pending review',
  '10417': 'Instruct the payer to use another payment method',
  '10486': 'Funding source failed',
  '10539': 'Payment declined',
  '10752': 'Gateway declined',
  '15005': 'Processor declined',
};

/** What an amount may trigger. A closed list, because 120.00 is a price and not error 12000. */
const AMOUNT_TRIGGERS: ReadonlySet<string> = new Set(
  `10001 10002 10004 10007 10009 10014 10069 10201 10202 10203 10204 10205 10206 10207 10209 10210 10211 10212 10213
   10214 10216 10402 10406 10412 10413 10414 10415 10417 10443 10445 10486 10502 10504 10507 10525 10527 10537 10538
   10539 10546 10554 10555 10556 10560 10567 10600 10601 10606 10613 10747 10748 10752 10754 10755 10759 10761 11084
   11091 11302 11451 11452 11453 11458 11604 11611 11612 13109 13122 15002 15004 15005 15012 18014`.split(/\s+/),
);

export const shortMessage = (code: string): string => SHORT_MESSAGES[code] ?? 'Transaction cannot be completed';

export const triggeredBy = (code: string): string | undefined => (AMOUNT_TRIGGERS.has(code) ? code : undefined);
