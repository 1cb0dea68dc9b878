import type { RecordedEvent } from '@billstream/event-sourcing';
import type { ReadModel } from '../read-model';

export const amountOf = ({ data }: RecordedEvent): number =>
  'amount' in data && typeof data.amount === 'number' ? data.amount : 0;

/** What is in each wallet, and how many events made it so: an event that is applied twice shows. Tells whose they were. */
export const balances: ReadModel = {
  name: 'balances',
  tables: ['balances'],
  ddl: 'create table balances (stream text primary key, amount bigint not null, events bigint not null);',
  prefixes: ['wallet-'],
  apply: async (tx, events) => {
    await tx.query(
      `insert into balances select stream, sum(amount), count(*) from unnest($1::text[], $2::bigint[]) as e (stream, amount) group by stream
       on conflict (stream) do update set amount = balances.amount + excluded.amount, events = balances.events + excluded.events`,
      [events.map(({ stream }) => stream), events.map(amountOf)],
      'balances-apply',
    );
    return events.map(({ stream }) => stream);
  },
};
