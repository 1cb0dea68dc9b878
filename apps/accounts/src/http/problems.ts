import type { AccountRejection, TenantRejection } from '@billstream/accounts-domain';
import { type ProblemException, killBillProblem } from '@billstream/http';

/** A value in a request that cannot be: Kill Bill answers an IllegalArgumentException, 400. */
export const invalidValue = (detail: string): ProblemException =>
  killBillProblem(400, null, 'IllegalArgumentException', detail);

export const unknownAccount = (accountId: string): ProblemException =>
  killBillProblem(404, 3002, 'AccountApiException', `Account does not exist for id ${accountId}`);

export const accountProblem =
  (accountId: string) =>
  (rejection: AccountRejection): ProblemException => {
    switch (rejection.code) {
      case 'account-exists':
        return killBillProblem(
          409,
          3000,
          'AccountApiException',
          `Account already exists for key ${rejection.externalKey}`,
        );
      case 'account-unknown':
        return unknownAccount(accountId);
      case 'external-key-too-long':
        return killBillProblem(
          400,
          5,
          'AccountApiException',
          `externalKey has ${rejection.length} characters, at most 255 are allowed`,
        );
      case 'bill-cycle-day-invalid':
        return invalidValue(
          `billCycleDayLocal must be a whole number from 0 to 31, not ${rejection.billCycleDayLocal}`,
        );
      case 'parent-unknown':
        return killBillProblem(
          404,
          3002,
          'AccountApiException',
          `parentAccountId: account does not exist for id ${rejection.parentAccountId}`,
        );
      case 'parent-is-itself':
        return invalidValue('parentAccountId names the account itself');
      case 'field-immutable':
        return invalidValue(
          `${rejection.field} cannot be changed: new=${String(rejection.proposed)}, current=${rejection.current}`,
        );
    }
  };

export const tenantProblem =
  (tenantId: string) =>
  (rejection: TenantRejection): ProblemException => {
    switch (rejection.code) {
      case 'tenant-exists':
        return killBillProblem(409, 20000, 'TenantApiException', `Tenant already exists for id ${tenantId}`);
      case 'tenant-unknown':
        return unknownTenant(tenantId);
    }
  };

export const unknownTenant = (tenantId: string): ProblemException =>
  killBillProblem(404, 20001, 'TenantApiException', `Tenant does not exist for id ${tenantId}`);
