import { tenantInvoicing } from './tenant-invoicing';

it('a tenant’s properties of invoicing are recorded, Kill Bill’s and our own, and no others', () => {
  const settings = {
    'org.killbill.invoice.inArrear.mode': 'GREEDY',
    'billstream.invoice.lateUsage': 'NEXT_INVOICE',
    'billstream.invoice.lateUsage.absorbBelow': '2.50',
    'killbill.features.invoice.optimization': 'true',
  };
  const told = { ...settings, 'org.killbill.payment.retry.days': '1,3', 'billstream.payment.x': '1' };
  const decision = tenantInvoicing.decide(
    { type: 'RecordSettings', tenantId: 'tenant', settings: told },
    tenantInvoicing.initial,
  );
  const ordered = Object.fromEntries(Object.entries(settings).sort(([a], [b]) => (a < b ? -1 : 1)));
  expect(decision).toEqual({ events: [{ type: 'SettingsRecorded', data: { tenantId: 'tenant', settings: ordered } }] });
});
