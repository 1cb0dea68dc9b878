import type { Currency, Instant } from '@billstream/kernel';

/** An account as others need it: no name, no address, no e-mail. `billCycleDayLocal` 0 means not chosen yet. */
export type AccountFacts = {
  readonly accountId: string;
  readonly externalKey: string;
  readonly currency: Currency | null;
  readonly timeZone: string;
  readonly referenceTime: Instant;
  readonly billCycleDayLocal: number;
  readonly parentAccountId: string | null;
  readonly isPaymentDelegatedToParent: boolean;
};

/** How an account is closed; of the two ways with unpaid invoices at most one is asked for. */
export type AccountClosing = {
  readonly accountId: string;
  readonly cancelAllSubscriptions: boolean;
  readonly writeOffUnpaidInvoices: boolean;
  readonly itemAdjustUnpaidInvoices: boolean;
  /** Nothing that is due later happens any more. */
  readonly removeFutureNotifications: boolean;
};

/** Kill Bill's control tags: those that change what the platform does. */
export type ControlTag =
  | 'AUTO_PAY_OFF'
  | 'AUTO_INVOICING_OFF'
  | 'OVERDUE_ENFORCEMENT_OFF'
  | 'WRITTEN_OFF'
  | 'MANUAL_PAY'
  | 'TEST'
  | 'PARTNER'
  | 'AUTO_INVOICING_DRAFT'
  | 'AUTO_INVOICING_REUSE_DRAFT';

/** Kill Bill's ObjectType, as far as its objects can carry tags and custom fields. */
export type TaggableObjectType =
  | 'ACCOUNT'
  | 'BUNDLE'
  | 'SUBSCRIPTION'
  | 'INVOICE'
  | 'INVOICE_ITEM'
  | 'INVOICE_PAYMENT'
  | 'PAYMENT'
  | 'PAYMENT_METHOD'
  | 'TRANSACTION';

/** While a test clock is on its way through what fell due: work with a date after `after` and up to `until` waits. */
export type HeldBack = { readonly after: Instant; readonly until: Instant };

export type AccountsEvent =
  | {
      readonly type: 'accounts.tenant-created.v1';
      readonly data: {
        readonly tenantId: string;
        readonly apiKey: string;
        readonly externalKey: string;
        readonly useGlobalDefault: boolean;
      };
    }
  /**
   * Sealed with the platform's secrets key and bound to `<tenantId>/<pluginName>`: only a service that holds the key can
   * read a plugin's credentials. Null: removed.
   */
  | {
      readonly type: 'accounts.plugin-configured.v1';
      readonly data: { readonly tenantId: string; readonly pluginName: string; readonly sealedConfig: string | null };
    }
  /** All settings a tenant has of its own, by property name (Kill Bill's per-tenant configuration); empty: none any more. */
  | {
      readonly type: 'accounts.tenant-settings-changed.v1';
      readonly data: { readonly tenantId: string; readonly settings: Readonly<Record<string, string>> };
    }
  /** A test clock was moved: business time of the tenant is wall time plus this distance. */
  | {
      readonly type: 'accounts.clock-moved.v1';
      readonly data: { readonly tenantId: string; readonly distanceMs: number; readonly heldBack?: HeldBack };
    }
  /** A control tag was put on an object of the account, or taken off. */
  | {
      readonly type: 'accounts.control-tag-changed.v1';
      readonly data: {
        readonly accountId: string;
        readonly objectType: TaggableObjectType;
        readonly objectId: string;
        readonly tag: ControlTag;
        readonly isSet: boolean;
      };
    }
  /** The system's tag of a parked account was taken off: invoicing may go on. */
  | { readonly type: 'accounts.account-unparked.v1'; readonly data: { readonly accountId: string } }
  /**
   * The account does nothing any more (Kill Bill's closeAccount): its subscriptions end where that is asked for
   * (entitlement now, billing at the end of the term), changes are blocked, unpaid invoices are written off or adjusted
   * item by item. That nothing is invoiced any more is said by its control tag AUTO_INVOICING_OFF before.
   */
  | { readonly type: 'accounts.account-closed.v1'; readonly data: AccountClosing }
  | { readonly type: 'accounts.account-created.v1'; readonly data: AccountFacts }
  | { readonly type: 'accounts.account-updated.v1'; readonly data: AccountFacts };
