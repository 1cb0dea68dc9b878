import { AuditQuery } from '@billstream/http';
import type { PaymentMethodView } from '@billstream/payments-read-models';
import { IsIn, IsOptional } from 'class-validator';

const flag = ['true', 'false'];

export class MethodQuery extends AuditQuery {
  @IsOptional() @IsIn(flag) readonly withPluginInfo?: string;
  @IsOptional() @IsIn(flag) readonly includedDeleted?: string;
}

/** Kill Bill's PaymentMethod (0.24). */
export const methodJson = (
  method: PaymentMethodView,
  { withPluginInfo }: Pick<MethodQuery, 'withPluginInfo'>,
): object => {
  const { paymentMethodId, externalKey, accountId, isDefault, pluginName, credential } = method;
  const pluginInfo = {
    externalPaymentMethodId: credential ?? externalKey,
    isDefaultPaymentMethod: isDefault,
    properties: credential === null ? [] : [{ key: 'baid', value: credential, isUpdatable: false }],
  };
  return {
    paymentMethodId,
    externalKey,
    accountId,
    isDefault,
    pluginName,
    pluginInfo: withPluginInfo === 'true' ? pluginInfo : null,
    auditLogs: [],
  };
};
