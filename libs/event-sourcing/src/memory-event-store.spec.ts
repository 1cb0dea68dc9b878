import { memoryEventStore } from './memory-event-store';
import { eventStoreContract } from './testing';

eventStoreContract('memory', () => Promise.resolve(memoryEventStore()));
