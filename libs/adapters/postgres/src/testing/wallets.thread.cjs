/** A test runner loads TypeScript in its own way, which its threads do not know. */
require('../../../../../tools/register.cjs');
require('./wallets.thread.ts');
