/**
 * `npm test`: the three kinds of test, one after the other, then one line with the sum. Without TEST_DATABASE_URL the
 * tests bring their own PostgreSQL; without TEST_RABBITMQ_URL the RabbitMQ halves name themselves as skipped.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';

const jest = createRequire(import.meta.url).resolve('jest/bin/jest');
// The spec files of int and system have databases, vhosts and ports of their own; two at a time wait for disks and brokers
// where one would stand still.
const kinds = [
  ['unit', ['--maxWorkers=100%']],
  ['int', ['--maxWorkers=2']],
  ['system', ['--maxWorkers=2']],
];
mkdirSync('tmp', { recursive: true });
const total = { passed: 0, failed: 0, skipped: 0 };
for (const [kind, flags] of kinds) {
  const report = path.join(os.tmpdir(), `billstream-${process.pid}-${kind}.json`);
  const { status } = spawnSync(
    process.execPath,
    [jest, '--selectProjects', kind, ...flags, '--json', `--outputFile=${report}`, '--silent=false'],
    {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} --enable-source-maps` },
    },
  );
  const result = JSON.parse(readFileSync(report, 'utf8'));
  total.passed += result.numPassedTests;
  total.failed += result.numFailedTests + result.numRuntimeErrorTestSuites;
  total.skipped += result.numPendingTests + result.numTodoTests;
  if (status !== 0 && result.numFailedTests + result.numRuntimeErrorTestSuites === 0) total.failed += 1;
}
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exit(total.failed === 0 && total.passed > 0 ? 0 : 1);
