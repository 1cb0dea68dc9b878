/** `npm run docs:events`: writes docs/events.md. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { eventsDocument } from './events/document';

writeFileSync(path.join(__dirname, '../docs/events.md'), eventsDocument());
