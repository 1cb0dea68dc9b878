import { type FiguresEvent, figuresSchema } from '@billstream/accounts-domain';
import type { RecordedEvent } from '@billstream/event-sourcing';
import type { ReadModel } from '@billstream/postgres';

const ddl = `
create table account_balances (
  account_id uuid primary key,
  currency text not null,
  balance_minor bigint not null,
  credit_minor bigint not null
);
create table account_default_methods (
  account_id uuid primary key,
  payment_method_id uuid
);
`;

const insertBalances = `
insert into account_balances
select * from jsonb_to_recordset($1::jsonb) as row(account_id uuid, currency text, balance_minor bigint, credit_minor bigint)
on conflict (account_id) do update set
  currency = excluded.currency, balance_minor = excluded.balance_minor, credit_minor = excluded.credit_minor`;

const insertMethods = `
insert into account_default_methods
select * from jsonb_to_recordset($1::jsonb) as row(account_id uuid, payment_method_id uuid)
on conflict (account_id) do update set payment_method_id = excluded.payment_method_id`;

/** Accounts' own figure of what invoicing and payments told: balance, credit, default payment method. */
export const balancesReadModel: ReadModel = {
  name: 'balances',
  tables: ['account_balances', 'account_default_methods'],
  ddl,
  prefixes: ['accountFigures-'],
  apply: async (tx, events) => {
    const { balances, methods } = lastOf(events);
    if (balances.length > 0) await tx.query(insertBalances, [JSON.stringify(balances)], 'account-balances-upsert');
    if (methods.length > 0) await tx.query(insertMethods, [JSON.stringify(methods)], 'account-methods-upsert');
  },
};

const lastOf = (
  events: readonly RecordedEvent[],
): { readonly balances: readonly object[]; readonly methods: readonly object[] } => {
  const balances = new Map<string, object>();
  const methods = new Map<string, object>();
  for (const recorded of events) {
    const event: FiguresEvent | null = figuresSchema.decode(recorded);
    if (event?.type === 'BalanceRecorded') {
      const { accountId, currency, balanceMinor, creditMinor } = event.data;
      balances.set(accountId, {
        account_id: accountId,
        currency,
        balance_minor: balanceMinor,
        credit_minor: creditMinor,
      });
    }
    if (event?.type === 'DefaultPaymentMethodSet')
      methods.set(event.data.accountId, {
        account_id: event.data.accountId,
        payment_method_id: event.data.paymentMethodId,
      });
  }
  return { balances: [...balances.values()], methods: [...methods.values()] };
};
