import type {
  AccountRejection,
  ObjectFieldsRejection,
  ObjectTagsRejection,
  RoleRejection,
  TagDefinitionRejection,
  TenantRejection,
  UserRejection,
} from '@billstream/accounts-domain';
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
      case 'family-currency-differs':
        return rejection.whose === 'parent'
          ? invalidValue(
              `isPaymentDelegatedToParent: the parent is in ${rejection.currency}, the account in ${rejection.proposed}, and nothing is converted`,
            )
          : invalidValue(
              `currency: the account pays for a child in ${rejection.currency}, and nothing is converted to ${rejection.proposed}`,
            );
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

export const unknownTagDefinition = (id: string): ProblemException =>
  killBillProblem(404, 3902, 'TagDefinitionApiException', `The tag definition does not exist: ${id}`);

export const tagDefinitionProblem = (rejection: TagDefinitionRejection): ProblemException => {
  const refuse = (status: number, code: number, detail: string): ProblemException =>
    killBillProblem(status, code, 'TagDefinitionApiException', detail);
  switch (rejection.code) {
    case 'tag-definition-reserved':
      return refuse(409, 3900, `name: ${rejection.name} is the name of a control tag`);
    case 'tag-definition-exists':
      return refuse(409, 3901, `name: a tag definition ${rejection.name} exists already`);
    case 'tag-definition-unknown':
      return unknownTagDefinition(rejection.tagDefinitionId);
    case 'tag-definition-used':
      return refuse(400, 3903, `The tag definition ${rejection.name} is in use`);
    case 'tag-definition-uppercase':
      return refuse(400, 3904, `name: ${rejection.name} must be in lower case`);
  }
};

export const tagProblem = (rejection: ObjectTagsRejection): ProblemException => {
  switch (rejection.code) {
    case 'tag-unknown':
      return killBillProblem(404, 3950, 'TagApiException', `The tag does not exist: ${rejection.tagDefinitionName}`);
    case 'tag-is-the-systems':
      return killBillProblem(400, 3953, 'TagApiException', `The tag is the system's: ${rejection.tagDefinitionId}`);
    case 'tag-not-applicable':
      return invalidValue(`Control tag ${rejection.name} is not for objects of type ${rejection.objectType}`);
  }
};

/** Kill Bill has no status of its own for these: all are 400. */
export const customFieldProblem = (rejection: ObjectFieldsRejection): ProblemException => {
  const refuse = (code: number, detail: string): ProblemException =>
    killBillProblem(400, code, 'CustomFieldApiException', detail);
  switch (rejection.code) {
    case 'custom-field-exists':
      return refuse(9000, `name: the object has a custom field ${rejection.name} already`);
    case 'custom-field-unknown':
      return refuse(9001, `customFieldId: the object has no custom field ${rejection.customFieldId}`);
    case 'custom-field-name-fixed':
      return refuse(9002, `name of custom field ${rejection.customFieldId} cannot become ${rejection.name}`);
  }
};

const securityProblem = (status: number, code: number, detail: string): ProblemException =>
  killBillProblem(status, code, 'SecurityApiException', detail);

export const unknownUser = (userName: string): ProblemException =>
  securityProblem(404, 40001, `The user ${userName} does not exist or was invalidated`);
export const unknownRole = (role: string): ProblemException =>
  securityProblem(404, 40003, `The role ${role} does not exist`);
export const invalidPermission = (permission: string): ProblemException =>
  securityProblem(400, 40005, `permissions: there is no permission ${permission}`);

export const userProblem =
  (userName: string) =>
  ({ code }: UserRejection): ProblemException =>
    code === 'user-unknown'
      ? unknownUser(userName)
      : securityProblem(400, 40002, `username: the user ${userName} exists already`);

export const roleProblem =
  (role: string) =>
  ({ code }: RoleRejection): ProblemException =>
    code === 'role-unknown' ? unknownRole(role) : securityProblem(400, 40004, `role: the role ${role} exists already`);
