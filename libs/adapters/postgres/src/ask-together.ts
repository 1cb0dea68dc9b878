type Asker<Question, Answer> = {
  readonly question: Question;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
};

/** One statement asks at most so much. */
const togetherMax = 500;

/**
 * Makes one statement of the questions that many ask at the same time. One is under way at a time; who asks meanwhile
 * shares the next, so an answer is never older than its question, and nobody waits for company. Answers come in the order
 * of their questions. A statement that fails has failed for all who asked in it.
 */
export const askTogether = <Question, Answer>(
  ask: (questions: readonly Question[]) => Promise<readonly Answer[]>,
): ((question: Question) => Promise<Answer>) => {
  const waiting: Asker<Question, Answer>[] = [];
  let isAsking = false;
  const askNext = async (): Promise<void> => {
    const askers = waiting.splice(0, togetherMax);
    try {
      const answers = await ask(askers.map(({ question }) => question));
      if (answers.length !== askers.length)
        throw new TypeError(`${askers.length} questions got ${answers.length} answers`);
      // The lengths are the same, so there is an answer to each.
      for (const [index, { resolve }] of askers.entries()) resolve(answers[index] as Answer);
    } catch (error) {
      for (const { reject } of askers) reject(error);
    }
  };
  const run = async (): Promise<void> => {
    isAsking = true;
    // Those of the same turn of the event loop belong together.
    await Promise.resolve();
    while (waiting.length > 0) await askNext();
    isAsking = false;
  };
  return (question) =>
    new Promise((resolve, reject) => {
      waiting.push({ question, resolve, reject });
      if (!isAsking) void run();
    });
};
