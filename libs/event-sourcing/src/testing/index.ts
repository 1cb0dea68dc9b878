export { specificationOf } from './specification';
export { eventStoreContract, sampleEvent, takePages } from './event-store-contract';
