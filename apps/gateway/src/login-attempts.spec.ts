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
  it('count for a whole IPv6 network, however its addresses are written', () => {
    const attempts = loginAttempts(() => 0);
    for (let host = 0; host < 20; host += 1)
      expect(attempts.begin({ ...names, address: `2001:db8:0:7::${host.toString(16)}` })).toBeNull();
    expect(attempts.begin({ ...names, address: '2001:db8::7:a:b:c:d' })).toBe(10);
    expect(attempts.begin({ ...names, address: '2001:db8:0:8::1' })).toBeNull();
    expect(attempts.begin({ ...names, address: '::ffff:10.0.0.1' })).toBeNull();
  });
  it('of long names that begin alike are told apart', () => {
    const attempts = loginAttempts(() => 0);
    const login = 'x'.repeat(9_000);
    for (let times = 0; times < 20; times += 1) attempts.begin({ ...names, login });
    expect(attempts.begin({ ...names, login })).toBe(10);
    expect(attempts.begin({ ...names, login: `${login}y` })).toBeNull();
  });
  it('of many logins at one address hold that address up', () => {
    const attempts = loginAttempts(() => 0);
    for (let login = 0; login < 100; login += 1) attempts.begin({ ...names, login: String(login) });
    expect(attempts.begin({ ...names, login: 'new' })).toBe(1);
  });
});
