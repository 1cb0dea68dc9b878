/** Kill Bill's name of each setting that a case may change. */
const properties: Readonly<Record<string, string>> = {
  paymentRetryDays: 'org.killbill.payment.retry.days',
  prorationFixedDays: 'org.killbill.invoice.proration.fixed.days',
  maxInvoiceLimit: 'org.killbill.invoice.maxInvoiceLimit',
  readMaxRawUsagePreviousPeriod: 'org.killbill.invoice.readMaxRawUsagePreviousPeriod',
  zeroAmountUsageDisabled: 'org.killbill.invoice.disable.usage.zero.amount',
  usageDetailMode: 'org.killbill.invoice.item.result.behavior.mode',
  usageTimeZoneMode: 'org.killbill.invoice.usage.tz.mode',
  inArrearMode: 'org.killbill.invoice.inArrear.mode',
  alignEffectiveDateForExistingSubscriptions: 'org.killbill.subscription.align.effectiveDateForExistingSubscriptions',
  // Kill Bill reads this one when it starts; here a tenant has its own.
  invoiceOptimization: 'killbill.features.invoice.optimization',
};

/** What `uploadPerTenantConfig` takes, or null when the case keeps all defaults. Throws on a setting nobody knows. */
export const tenantSettings = (config: Readonly<Record<string, unknown>> = {}): string | null => {
  const entries = Object.entries(config).map(([key, value]) => {
    const name = properties[key];
    if (name === undefined) throw new Error(`no setting of a tenant is known for ${key}`);
    return [name, Array.isArray(value) ? value.join(',') : String(value)];
  });
  return entries.length === 0 ? null : JSON.stringify(Object.fromEntries(entries));
};
