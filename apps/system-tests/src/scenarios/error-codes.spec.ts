import { invoiceErrors } from './errors/invoice-errors';
import { otherErrors } from './errors/other-errors';
import { openStage, stage } from './errors/stage';
import { subscriptionErrors } from './errors/subscription-errors';

/**
 * Kill Bill's error codes that its clients can meet, each provoked: the status, the code, and a body in Kill Bill's form.
 * Where the status is another one than Kill Bill's, `problems.ts` of the service says why.
 */
beforeAll(openStage, 90_000);
afterAll(() => stage.shop.system.stop(), 30_000);
jest.setTimeout(60_000);

const cases = [...subscriptionErrors, ...invoiceErrors, ...otherErrors];

it.each(cases)('%i, %i: %s', async (code, status, _what, provoke) => {
  const answer = await provoke();
  expect([answer.status, answer.text === '' ? null : answer.json<{ code: unknown }>().code]).toEqual([status, code]);
  expect(answer.json()).toEqual({
    className: expect.stringMatching(/^[\w.]+Exception$/),
    code,
    message: expect.stringMatching(/\S/),
    causeClassName: null,
    causeMessage: null,
    stackTrace: [],
  });
});

it('each code has one case', () => {
  const codes = cases.map(([code]) => code);
  expect(new Set(codes).size).toBe(codes.length);
});
