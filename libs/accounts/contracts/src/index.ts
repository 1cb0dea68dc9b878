export type { AccountFacts, AccountsEvent } from './events';
