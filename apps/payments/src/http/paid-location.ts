/** So many ids fit into an address that clients and the gateway take: 8 KB, of which each needs 37 bytes. */
const idsMax = 200;

/** Where Kill Bill shows the invoices that one request paid; all of the account's where they are too many to be named. */
export const paidLocation = (accountId: string, invoiceIds: readonly string[]): string => {
  const path = `/1.0/kb/accounts/${accountId}/invoices`;
  return invoiceIds.length > idsMax ? path : `${path}?invoicesFilter=${invoiceIds.join(',')}`;
};
