import { loggedPath } from './logged-path';

describe('a path in the log', () => {
  it('names nobody', () => {
    expect(loggedPath('/1.0/kb/accounts/search/Jane%20Doe')).toBe('/1.0/kb/accounts/search/[redacted]');
    for (const address of ['jane@example.org', 'jane%40example.org'])
      expect(loggedPath(`/1.0/kb/accounts/1/emails/${address}`)).toBe('/1.0/kb/accounts/1/emails/[redacted]');
  });

  it('is what it was else', () => {
    for (const path of ['/', '/1.0/kb/accounts/search', '/1.0/kb/invoices/21f742f1-ac86-4349-adc2-70cefd075232/html'])
      expect(loggedPath(path)).toBe(path);
  });
});
