/**
 * One embedded PostgreSQL per test run, for runs without TEST_DATABASE_URL. The runner's own process keeps it, because
 * workers come and go; it starts when the first test file asks for its address, over loopback, by the variable below.
 */
const fs = require('node:fs');
const http = require('node:http');
const os = require('node:os');
const path = require('node:path');
const { randomUUID } = require('node:crypto');

let broker;
let folder;
let postgres;

const start = async () => {
  require('../register.cjs');
  const { startEmbeddedPostgres } = require('@billstream/embedded-postgres');
  folder = fs.mkdtempSync(path.join(fs.existsSync('/var/tmp') ? '/var/tmp' : os.tmpdir(), 'billstream-test-'));
  fs.chmodSync(folder, 0o755); // as root, another user runs the server in it
  return startEmbeddedPostgres({ dataDirectory: folder });
};

const answer = async (request, response, secret) => {
  if (request.url !== `/${secret}`) return response.writeHead(404).end();
  try {
    postgres ??= start();
    return response.end((await postgres).url);
  } catch (error) {
    return response.writeHead(500).end(String(error?.message ?? error));
  }
};

exports.open = async () => {
  if (process.env.TEST_DATABASE_URL || broker) return;
  const secret = randomUUID();
  broker = http.createServer((request, response) => void answer(request, response, secret));
  await new Promise((resolve) => broker.listen(0, '127.0.0.1', resolve));
  broker.unref();
  process.env.TEST_RUN_POSTGRES = `http://127.0.0.1:${broker.address().port}/${secret}`;
};

exports.close = async () => {
  broker?.close();
  const running = await postgres?.catch(() => undefined);
  await running?.stop();
  if (folder) fs.rmSync(folder, { recursive: true, force: true });
};
