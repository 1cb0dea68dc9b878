/** Methods of the client that nothing here answers, and why. All others are called by the test. */
export const outsideTheContract: Readonly<Record<string, string>> = {
  'AdminApi.getQueueEntries': "shows Kill Bill's own queue tables; ours is a log with dead letters (docs/runbooks)",
  'AdminApi.invalidatesCache': 'there is no cache to invalidate',
  'AdminApi.invalidatesCacheByAccount': 'there is no cache to invalidate',
  'AdminApi.invalidatesCacheByTenant': 'there is no cache to invalidate',
  'AdminApi.putInRotation': 'a balancer asks /health/ready',
  'AdminApi.putOutOfRotation': 'a balancer asks /health/ready',
  'AdminApi.triggerInvoiceGenerationForParkedAccounts': 'an account is unparked by its tag, one at a time',
  'ExportApi.exportDataForAccount': "dumps Kill Bill's tables; `replay export` moves a log",
  'NodesInfoApi.getNodesInfo': 'there are no OSGi nodes',
  'NodesInfoApi.triggerNodeCommand': 'there are no OSGi nodes',
  'PluginInfoApi.getPluginsInfo': 'there are no OSGi bundles',
  'AccountApi.getAccountEmailAuditLogsWithHistory': 'an e-mail address has no history apart from its account',
  'AccountApi.getBlockingStateAuditLogsWithHistory': 'the API shows no id of a blocking state to ask with',
  'PaymentApi.getPaymentAttemptAuditLogsWithHistory': 'the API shows no id of an attempt to ask with',
  'SubscriptionApi.getSubscriptionEventAuditLogsWithHistory': 'an event is its own history',
};
