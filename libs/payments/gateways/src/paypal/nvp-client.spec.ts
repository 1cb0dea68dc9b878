import { callNvp, type NvpResult } from './nvp-client';

const secrets = { login: 'the-login', password: 'the-password', signature: 'the-signature' };

const call = (answer: () => Promise<Response>): Promise<NvpResult> =>
  callNvp(
    {
      endpoint: 'https://nvp.invalid/nvp',
      credentials: secrets,
      timeoutMs: 1000,
      fetch: answer,
      now: () => new Date(0),
    },
    'DoReferenceTransaction',
    { AMT: '20.00' },
  );

const failing = (cause: object) => call(() => Promise.reject(Object.assign(new TypeError('fetch failed'), { cause })));
const answering = (body: string, status = 200) => call(() => Promise.resolve(new Response(body, { status })));

describe('an NVP call', () => {
  it.each([
    [{ code: 'ECONNREFUSED', syscall: 'connect' }],
    [{ code: 'ENOTFOUND', syscall: 'getaddrinfo' }],
    [{ code: 'UND_ERR_CONNECT_TIMEOUT' }],
    [{ code: 'CERT_HAS_EXPIRED' }],
    [
      {
        code: 'ECONNREFUSED',
        errors: [
          { code: 'ECONNREFUSED', syscall: 'connect' },
          { code: 'EHOSTUNREACH', syscall: 'connect' },
        ],
      },
    ],
  ])('was not executed when it never left: %j', async (cause) => {
    expect(await failing(cause)).toMatchObject({ kind: 'NotExecuted', why: 'unreachable' });
  });

  it.each([[{ code: 'ECONNRESET', syscall: 'read' }], [{ code: 'UND_ERR_SOCKET' }], [{ name: 'TimeoutError' }], [{}]])(
    'is unknown when the line broke later: %j',
    async (cause) => {
      expect(await failing(cause)).toMatchObject({ kind: 'Unknown' });
    },
  );

  it.each([
    [429, { kind: 'NotExecuted', why: 'rateLimited' }],
    [404, { kind: 'NotExecuted', why: 'misconfigured' }],
    [302, { kind: 'NotExecuted', why: 'misconfigured' }],
    [408, { kind: 'Unknown' }],
    [502, { kind: 'Unknown' }],
  ])('that meets HTTP %i is judged by what may have happened', async (status, result) => {
    expect(await answering('<html></html>', status)).toMatchObject(result);
  });

  it.each(['', '<html>200 OK</html>', 'TRANSACTIONID=1', 'ACK=Succ'])(
    'without a readable verdict is unknown: %j',
    async (body) => {
      expect(await answering(body)).toMatchObject({ kind: 'Unknown', evidence: { code: 'unreadable-answer' } });
    },
  );

  it('takes the cause from among the warnings of a failure', async () => {
    const body =
      'ACK=FailureWithWarning&L_ERRORCODE0=11454&L_SEVERITYCODE0=Warning&L_ERRORCODE1=10539&L_SEVERITYCODE1=Error';
    expect(await answering(body)).toMatchObject({ kind: 'Verdict', success: false, code: '10539' });
  });

  it('tells no secret, whatever went wrong', async () => {
    const results = [
      await failing({ code: 'X', message: 'PWD=the-password' }),
      await answering('', 500),
      await answering('ACK=Failure'),
    ];
    for (const secret of Object.values(secrets)) expect(JSON.stringify(results)).not.toContain(secret);
  });
});
