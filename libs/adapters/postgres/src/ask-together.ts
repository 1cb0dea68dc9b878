import { setTimeout as sleep } from 'node:timers/promises';
import { DatabaseError } from 'pg';

type Asker<Question, Answer> = {
  readonly question: Question;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
};

/** One statement asks at most so much. */
const togetherMax = 500;

/** Classes of SQLSTATE that a value brings about: data exceptions, violated constraints, and what cannot be read or is too large. */
const ofValues = /^(22|23|42|54)/;

/** Whether asking about less may help: an error of one of the questions, not of the connection, of time or of space. */
const isOfQuestion = (error: unknown): boolean =>
  error instanceof DatabaseError ? ofValues.test(error.code ?? '') : error instanceof TypeError;

/**
 * Makes one statement of the questions that many ask at the same time. One is under way at a time; who asks meanwhile
 * shares the next, so an answer is never older than its question, and nobody waits for company. Answers come in the order
 * of their questions. A statement that the database refuses is made again with each half of its questions, so that it fails
 * for those alone whose question it cannot bear; where the database is away, it has failed for all who asked.
 */
export const askTogether = <Question, Answer>(
  ask: (questions: readonly Question[]) => Promise<readonly Answer[]>,
  /** How long after a statement of these questions was begun the next one may begin, in milliseconds. */
  spacingMs: (questions: readonly Question[]) => number = () => 0,
  rest: (ms: number) => Promise<unknown> = sleep,
): ((question: Question) => Promise<Answer>) => {
  const waiting: Asker<Question, Answer>[] = [];
  let isAsking = false;
  const answer = async (askers: readonly Asker<Question, Answer>[]): Promise<void> => {
    try {
      const answers = await ask(askers.map(({ question }) => question));
      if (answers.length !== askers.length)
        throw new TypeError(`${askers.length} questions got ${answers.length} answers`);
      // The lengths are the same, so there is an answer to each.
      for (const [index, { resolve }] of askers.entries()) resolve(answers[index] as Answer);
    } catch (error) {
      if (askers.length > 1 && isOfQuestion(error)) {
        const half = Math.ceil(askers.length / 2);
        await answer(askers.slice(0, half));
        await answer(askers.slice(half));
      } else for (const { reject } of askers) reject(error);
    }
  };
  const run = async (): Promise<void> => {
    isAsking = true;
    // Those of the same turn of the event loop belong together.
    await Promise.resolve();
    while (waiting.length > 0) {
      const [askers, begunAt] = [waiting.splice(0, togetherMax), performance.now()];
      await answer(askers);
      const restMs = spacingMs(askers.map(({ question }) => question)) - (performance.now() - begunAt);
      if (restMs > 0) await rest(restMs);
    }
    isAsking = false;
  };
  return (question) =>
    new Promise((resolve, reject) => {
      waiting.push({ question, resolve, reject });
      if (!isAsking) void run();
    });
};
