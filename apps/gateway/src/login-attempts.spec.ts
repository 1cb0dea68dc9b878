import { loginAttempts } from './login-attempts';

const names = { address: '10.0.0.1', login: 'admin' };

describe('failed logins', () => {
  it('are free ten times, then one every ten seconds, for each login and address apart', () => {
    let time = 0;
    const attempts = loginAttempts(() => time);
    for (let times = 0; times < 10; times += 1) {
      expect(attempts.waitSeconds(names)).toBeNull();
      attempts.failed(names);
    }
    expect(attempts.waitSeconds(names)).toBe(10);
    expect(attempts.waitSeconds({ ...names, login: 'other' })).toBeNull();
    expect(attempts.waitSeconds({ ...names, address: '10.0.0.2' })).toBeNull();
    time = 10_000;
    expect(attempts.waitSeconds(names)).toBeNull();
    attempts.failed(names);
    expect(attempts.waitSeconds(names)).toBe(10);
  });
  it('of many logins at one address hold that address up', () => {
    const attempts = loginAttempts(() => 0);
    for (let login = 0; login < 100; login += 1) attempts.failed({ ...names, login: String(login) });
    expect(attempts.waitSeconds({ ...names, login: 'new' })).toBe(1);
  });
});
