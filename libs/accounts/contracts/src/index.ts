export type { AccountFacts, AccountsEvent, ControlTag, TaggableObjectType } from './events';
