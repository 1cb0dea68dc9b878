import { connect } from 'node:net';

/** As much of Redis' protocol as the original's pattern needs: commands out, their answers in the same order. */
export type Redis = {
  readonly ask: (...words: readonly string[]) => Promise<string | null>;
  end(): void;
};

type Waiting = { readonly resolve: (answer: string | null) => void; readonly reject: (error: Error) => void };

export const redisAt = (address: string): Promise<Redis> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(address);
    const socket = connect(port === '' ? 6379 : Number(port), hostname);
    const waiting: Waiting[] = [];
    let rest = Buffer.alloc(0);
    const fail = (error: Error): void => {
      reject(error);
      for (const one of waiting.splice(0)) one.reject(error);
    };
    socket.on('error', fail);
    socket.on('close', () => fail(new Error('Redis hung up')));
    socket.on('data', (chunk) => {
      rest = Buffer.concat([rest, chunk]);
      for (let taken = takeAnswer(rest); taken !== null; taken = takeAnswer(rest)) {
        rest = rest.subarray(taken.bytes);
        const one = waiting.shift();
        if (taken.error) one?.reject(new Error(taken.text ?? ''));
        else one?.resolve(taken.text);
      }
    });
    socket.once('connect', () =>
      resolve({
        ask: (...words) =>
          new Promise((answered, refused) => {
            waiting.push({ resolve: answered, reject: refused });
            socket.write(
              `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`,
            );
          }),
        end: () => socket.destroy(),
      }),
    );
  });

type Taken = { readonly text: string | null; readonly error: boolean; readonly bytes: number };

const takeAnswer = (from: Buffer): Taken | null => {
  const end = from.indexOf('\r\n');
  if (end < 0) return null;
  const line = from.toString('utf8', 1, end);
  if (from[0] !== '$'.charCodeAt(0)) return { text: line, error: from[0] === '-'.charCodeAt(0), bytes: end + 2 };
  const length = Number(line);
  if (length < 0) return { text: null, error: false, bytes: end + 2 };
  const bytes = end + 2 + length + 2;
  return from.length < bytes ? null : { text: from.toString('utf8', end + 2, end + 2 + length), error: false, bytes };
};
