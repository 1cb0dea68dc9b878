import type {
  handleUnaryCall,
  MethodDefinition,
  ServerDuplexStream,
  ServerReadableStream,
  ServerWritableStream,
  Metadata,
  UntypedHandleCall,
} from '@grpc/grpc-js';
import { status } from '@grpc/grpc-js';
import { CallFailure, statusOf } from './failures';

/** Who calls, as far as the services care. */
export interface Caller {
  readonly user: string;
  readonly connectionName: string;
  readonly from: string;
}

export type Authenticate = (metadata: Metadata) => string;

/** A call that goes on after its first answer: it can be written to with back-pressure, and it ends exactly once. */
export interface Outlet {
  readonly caller: Caller;
  isOpen(): boolean;
  /** Sends one answer; a promise means that the reader is behind and asks to be waited for. */
  send(answer: Buffer): Promise<void> | undefined;
  readonly end: () => void;
  readonly fail: (cause: unknown) => void;
  /** Calls back once, however the call ends. */
  onEnd(listener: () => void): void;
}

/** Every call that is being served, so that a stop can end them and a test can see that none leaks. */
export interface OpenCalls {
  readonly count: () => number;
  abort(cause: CallFailure): void;
  add(abort: (cause: CallFailure) => void): () => void;
}

export const createOpenCalls = (): OpenCalls => {
  const open = new Set<(cause: CallFailure) => void>();
  return {
    count: () => open.size,
    abort: (cause) => {
      for (const abort of [...open]) abort(cause);
    },
    add: (abort) => {
      // Its own closure: the same function may be registered for two calls.
      const entry = (cause: CallFailure): void => abort(cause);
      open.add(entry);
      return () => void open.delete(entry);
    },
  };
};

export interface CallContext {
  readonly authenticate: Authenticate;
  readonly calls: OpenCalls;
}

interface AnyCall {
  readonly metadata: Metadata;
  getPeer(): string;
}

const callerOf = (context: CallContext, call: AnyCall): Caller => {
  const [connectionName] = call.metadata.get('connection-name');
  return {
    user: context.authenticate(call.metadata),
    connectionName: connectionName === undefined ? '' : String(connectionName),
    from: call.getPeer(),
  };
};

/** Messages pass through as bytes; each service encodes and decodes what it needs. */
export const method = (
  path: string,
  requestStream: boolean,
  responseStream: boolean,
): MethodDefinition<Buffer, Buffer> => {
  const same = (bytes: Buffer): Buffer => bytes;
  return {
    path,
    requestStream,
    responseStream,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  };
};

export type UnaryHandler = (request: Buffer, caller: Caller) => Buffer | Promise<Buffer>;

export const unary =
  (context: CallContext, handle: UnaryHandler): handleUnaryCall<Buffer, Buffer> =>
  (call, callback) => {
    const forget = context.calls.add((cause) => callback(statusOf(cause)));
    const respond = async (): Promise<Buffer> => handle(call.request, callerOf(context, call));
    respond().then(
      (answer) => {
        forget();
        callback(null, answer);
      },
      (cause: unknown) => {
        forget();
        callback(statusOf(cause));
      },
    );
  };

type AnsweringCall = ServerWritableStream<Buffer, Buffer> | ServerDuplexStream<Buffer, Buffer>;

const outletOf = (context: CallContext, call: AnsweringCall): Outlet => {
  let open = true;
  const listeners: (() => void)[] = [];
  let drained: (() => void) | undefined;
  const release = (): void => {
    drained?.();
    drained = undefined;
  };
  const finish = (): boolean => {
    if (!open) return false;
    open = false;
    forget();
    release();
    for (const listener of listeners) listener();
    return true;
  };
  const fail = (cause: unknown): void => {
    if (finish()) call.emit('error', statusOf(cause));
  };
  const forget = context.calls.add(fail);
  call.on('drain', release);
  call.on('cancelled', finish);
  call.on('close', finish);
  return {
    caller: callerOf(context, call),
    isOpen: () => open,
    send: (answer) => {
      if (!open || call.write(answer)) return undefined;
      return new Promise((resolve) => (drained = resolve));
    },
    end: () => {
      if (finish()) call.end();
    },
    fail,
    onEnd: (listener) => {
      if (open) listeners.push(listener);
      else listener();
    },
  };
};

/** Makes the outlet, or refuses the caller. */
const openOutlet = (context: CallContext, call: AnsweringCall): Outlet | undefined => {
  try {
    context.authenticate(call.metadata);
  } catch (cause) {
    call.emit('error', statusOf(cause));
    return undefined;
  }
  return outletOf(context, call);
};

export const answering =
  (context: CallContext, handle: (request: Buffer, outlet: Outlet) => Promise<void>): UntypedHandleCall =>
  (call: ServerWritableStream<Buffer, Buffer>) => {
    const outlet = openOutlet(context, call);
    if (outlet) handle(call.request, outlet).catch(outlet.fail);
  };

export interface Dialogue {
  /** Takes the next message of the client. */
  receive(request: Buffer): void;
}

export const conversing =
  (context: CallContext, converse: (outlet: Outlet) => Dialogue): UntypedHandleCall =>
  (call: ServerDuplexStream<Buffer, Buffer>) => {
    const outlet = openOutlet(context, call);
    if (!outlet) return;
    const dialogue = converse(outlet);
    call.on('data', (request: Buffer) => {
      try {
        if (outlet.isOpen()) dialogue.receive(request);
      } catch (cause) {
        outlet.fail(cause);
      }
    });
    call.on('end', outlet.end);
  };

/** A call whose client sends any number of messages and gets one answer. */
export const collecting =
  (
    context: CallContext,
    begin: () => { receive(request: Buffer): void; finish(): Promise<Buffer> },
  ): UntypedHandleCall =>
  (call: ServerReadableStream<Buffer, Buffer>, callback: Parameters<handleUnaryCall<Buffer, Buffer>>[1]) => {
    let answered = false;
    const answer = (cause: unknown, response?: Buffer): void => {
      if (answered) return;
      answered = true;
      forget();
      if (response) callback(null, response);
      else callback(statusOf(cause));
    };
    // Whatever was sent of it is not complete, so nothing of it is written.
    const forget = context.calls.add(({ message }) => answer(new CallFailure(status.UNAVAILABLE, message)));
    call.on('cancelled', () => answer(new CallFailure(status.CANCELLED, 'cancelled by the client')));
    try {
      callerOf(context, call);
      const collected = begin();
      call.on('data', (request: Buffer) => {
        try {
          if (!answered) collected.receive(request);
        } catch (cause) {
          answer(cause);
        }
      });
      call.on('end', () => {
        if (!answered) collected.finish().then((response) => answer(undefined, response), answer);
      });
    } catch (cause) {
      answer(cause);
    }
  };
