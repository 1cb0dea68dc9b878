import { loginAttempts } from './login-attempts';

const names = { address: '10.0.0.1', login: 'admin' };

describe('failed logins', () => {
  it('are free twenty times, then one every ten seconds, for each login and address apart', () => {
    let time = 0;
    const attempts = loginAttempts(() => time);
    for (let times = 0; times < 20; times += 1) expect(attempts.begin(names)).toBeNull();
    expect(attempts.begin(names)).toBe(10);
    expect(attempts.begin({ ...names, login: 'other' })).toBeNull();
    expect(attempts.begin({ ...names, address: '10.0.0.2' })).toBeNull();
    time = 10_000;
    expect(attempts.begin(names)).toBeNull();
    expect(attempts.begin(names)).toBe(10);
  });
  it('do not count when they succeed', () => {
    const attempts = loginAttempts(() => 0);
    for (let times = 0; times < 50; times += 1) {
      expect(attempts.begin(names)).toBeNull();
      attempts.succeeded(names);
    }
  });
  it('of many logins at one address hold that address up', () => {
    const attempts = loginAttempts(() => 0);
    for (let login = 0; login < 100; login += 1) attempts.begin({ ...names, login: String(login) });
    expect(attempts.begin({ ...names, login: 'new' })).toBe(1);
  });
});
