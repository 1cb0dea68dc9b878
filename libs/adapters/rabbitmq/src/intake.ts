/** A message as others sent it to an exchange of ours; what it means is for whoever takes it to say. */
export type IntakeMessage = {
  readonly routingKey: string;
  readonly content: Buffer;
  readonly contentType: string;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly messageId: string | null;
  readonly correlationId: string | null;
};

/** What the sender is told of a message; null: nothing. */
export type IntakeAnswer = object | null;

export type IntakeOptions = {
  /** Durable topic exchange that others send to; a quorum queue of the same name holds what was not taken. */
  readonly exchange: string;
  /** Durable topic exchange of answers, with a bounded queue of the same name; and to whoever named a queue to reply to. */
  readonly answers: string;
  /** Messages that are being taken at a time. */
  readonly prefetch: number;
  /**
   * Resolves once all of the message that is to be kept is durable: only then, and after its answer was confirmed, is it
   * acknowledged. Rejects when that is not known: then it comes again, here or in another process.
   */
  readonly take: (message: IntakeMessage) => Promise<IntakeAnswer>;
  readonly signal: AbortSignal;
};

/** Takes messages until the signal aborts; comes back by itself after a lost connection. */
export type Intake = (options: IntakeOptions) => Promise<void>;
