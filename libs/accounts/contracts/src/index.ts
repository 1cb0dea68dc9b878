export type { AccountClosing, AccountFacts, AccountsEvent, ControlTag, TaggableObjectType } from './events';
