import { withLogContext } from './context';
import { createLogger } from './logger';

const linesOf = (say: (logger: ReturnType<typeof createLogger>) => void): Record<string, unknown>[] => {
  const lines: string[] = [];
  say(createLogger({ service: 'test', destination: { write: (line: string) => void lines.push(line) } }));
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
};

describe('log lines', () => {
  it('carry the context of what is being done, also after an await', async () => {
    const lines: string[] = [];
    const logger = createLogger({ service: 'test', destination: { write: (line: string) => void lines.push(line) } });
    await withLogContext({ correlationId: 'c-1', tenantId: 't-1' }, async () => {
      await Promise.resolve();
      logger.info({ outcome: 'accepted' }, 'command');
    });
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      service: 'test',
      correlationId: 'c-1',
      tenantId: 't-1',
      msg: 'command',
      outcome: 'accepted',
    });
  });

  it('never show what opens a door', () => {
    const [line] = linesOf((logger) => {
      logger.info(
        {
          password: 'a',
          user: { apiSecret: 'b' },
          deep: { er: { card: 'c' } },
          headers: { 'x-billstream-inner': 'd' },
        },
        'x',
      );
    });
    expect(line).toMatchObject({
      password: '[redacted]',
      user: { apiSecret: '[redacted]' },
      deep: { er: { card: '[redacted]' } },
      headers: { 'x-billstream-inner': '[redacted]' },
    });
  });
});
