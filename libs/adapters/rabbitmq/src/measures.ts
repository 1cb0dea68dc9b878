/** What became of a message that a consumer was given. */
export type Outcome =
  | 'handled'
  /** In the inbox already. */
  | 'duplicate'
  /** No handler for its type. */
  | 'ignored'
  /** Gave up, or could not be read: in the dead letters. */
  | 'dead'
  /** An earlier message of its key is a dead letter. */
  | 'behind'
  /** A dead letter that an operator sent again. */
  | 'resent';

/** Everything the bus counts; one callback takes them all, so that a new one does not change every caller. */
export type Measure =
  | { readonly kind: 'published'; readonly messages: number }
  | { readonly kind: 'confirmed'; readonly messages: number; readonly ms: number }
  | { readonly kind: 'returned'; readonly messages: number }
  | { readonly kind: 'publish-failed' }
  | {
      readonly kind: 'handled';
      readonly service: string;
      readonly type: string;
      readonly outcome: Outcome;
      readonly ms: number;
    }
  | {
      readonly kind: 'retried';
      readonly service: string;
      readonly type: string;
      readonly cause: 'failure' | 'infrastructure';
    }
  | { readonly kind: 'subscribed'; readonly service: string; readonly partitions: number }
  | { readonly kind: 'relayed'; readonly service: string; readonly position: bigint; readonly lagMs: number };

export type Report = (measure: Measure) => void;

export const unreported: Report = () => undefined;
