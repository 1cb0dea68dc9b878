/**
 * Stops PostgreSQL when the process that started it is gone without a word, as after `kill -9`: its end closes our
 * standard input. Plain JavaScript, because it must start in any Node without a loader.
 *
 * Arguments: the lease folder, our parent's name in it, the data directory, pg_ctl, the grace in milliseconds.
 * Each line of standard input is the process id of the postmaster, or 0 once that has ended.
 */
const fs = require('node:fs');
const path = require('node:path');
const { execFileSync } = require('node:child_process');

const [lease, held, data, pgCtl, grace] = process.argv.slice(2);
const stopping = `stopping-${process.pid}-0-${held.split('-').at(-1)}`;
const stopMaxMs = 50_000;
const pollMs = 50;
let told = '';

const swap = (from, to) => {
  try {
    fs.renameSync(path.join(lease, from), path.join(lease, to));
    return true;
  } catch {
    return false; // someone else has taken the lease, or all of it was removed
  }
};

const pidOnFile = () => {
  try {
    return Number(fs.readFileSync(path.join(data, 'postmaster.pid'), 'utf8').split('\n')[0]);
  } catch {
    return undefined;
  }
};

const isAlive = (pid) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

const interrupt = (pid) => {
  if (process.platform !== 'win32') process.kill(pid, 'SIGINT');
  else execFileSync(pgCtl, ['stop', '-D', data, '-m', 'fast', '-W']);
};

const finish = () => {
  swap(stopping, 'free');
  process.exit();
};

const stop = () => {
  // From here on a new start waits for us; had one come first, the lease would be its own and PostgreSQL too.
  if (!swap(held, stopping)) process.exit();
  const pid = Number(told.trim().split('\n').at(-1));
  const onFile = pidOnFile();
  // A postmaster that has only just begun has not written its file yet.
  if (!pid || !isAlive(pid) || (onFile !== undefined && onFile !== pid)) return finish();
  try {
    interrupt(pid);
  } catch {
    return finish();
  }
  const end = Date.now() + stopMaxMs;
  setInterval(() => {
    const gone = !isAlive(pid) || (onFile !== undefined && pidOnFile() === undefined);
    if (gone || Date.now() > end) finish();
  }, pollMs);
};

process.stdin.setEncoding('utf8');
process.stdin.on('data', (text) => (told += text));
process.stdin.on('error', () => undefined);
process.stdin.on('close', () => setTimeout(stop, Number(grace)));
