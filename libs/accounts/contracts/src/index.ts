export type { AccountClosing, AccountFacts, AccountsEvent, ControlTag, HeldBack, TaggableObjectType } from './events';
