/** What an NVP error code means for an attempt. Data, because PayPal publishes codes but not whether to retry them. */
export type ErrorClass =
  | 'hard'
  | 'soft'
  | 'pending'
  | 'in-progress'
  | 'change-funding'
  | 'reapprove'
  | 'duplicate'
  | 'rate-limited'
  | 'misconfigured'
  | 'invalid'
  | 'unknown';

const CODES: Readonly<Record<ErrorClass, string>> = {
  hard: '10201 10204 10211 11451',
  soft: `10069 10202 10205 10216 10502 10504 10507 10525 10527 10537 10539 10546 10554 10555 10556 10560 10567 10600
    10601 10606 10748 10752 10754 10759 10761 11084 11091 11458 11611 13109 13122 15002 15004 15005 15012 18014`,
  pending: '11610',
  'in-progress': '11604',
  'change-funding': '10207 10210 10417 10486',
  reapprove: '10203 10212',
  duplicate: '10206 10412 10415 11607',
  'rate-limited': '10014',
  misconfigured: '10002 10007 10009 10209 10213 10214 10406 10443 10538 10613 10747 11302 11452',
  invalid: '10004 10402 10413 10414 10755',
  // Each of these may come after the money moved, so the ledger of the provider has to be asked.
  unknown: '10001 10445 11453 11612',
};

const CLASS_BY_CODE: ReadonlyMap<string, ErrorClass> = new Map(
  (Object.entries(CODES) as [ErrorClass, string][]).flatMap(([name, codes]) =>
    codes.split(/\s+/).map((code): [string, ErrorClass] => [code, name]),
  ),
);

/** Nothing for a code nobody has classified yet. */
export const classOf = (code: string | undefined): ErrorClass | undefined => CLASS_BY_CODE.get(code ?? '');
