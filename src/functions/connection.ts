import { subscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { incomingChunks } from '../request/incoming-chunks.ts';

/**
 * The library's own connections, by invocation id. The programming model tells a handler nothing of them: a caller who
 * goes away is not reported, and an answer is written without regard to how fast it is read. Node's channel shows both.
 * https://nodejs.org/api/diagnostics_channel.html#http
 */
const connections = new Map<string, RequestStart>();

interface RequestStart {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

subscribe('http.server.request.start', (message) => {
  if (!isRequestStart(message)) return;
  const { request, response } = message;
  const id = request.headers['x-ms-invocation-id'];
  if (typeof id !== 'string') return;
  connections.set(id, message);
  response.once('close', () => {
    if (connections.get(id) === message) connections.delete(id);
  });
});

/** The caller's end of one invocation, as far as this process sees it: the host's connection stands in for it. */
export class Connection {
  readonly #request: IncomingMessage | undefined;
  readonly #response: ServerResponse | undefined;

  constructor(invocationId: string) {
    const start = connections.get(invocationId);
    this.#request = start?.request;
    this.#response = start?.response;
  }

  /**
   * The request's body as it comes from the socket, which the library wraps into a web stream that costs more than all
   * else done with it; undefined where that is all there is. It may be left at any time: {@link discardRest} reads on.
   */
  body(signal: AbortSignal): AsyncIterable<Uint8Array> | undefined {
    return this.#request && incomingChunks(this.#request, signal);
  }

  /**
   * Reads on without keeping anything, where an answer comes before the end of the request. Its connection is used for
   * the host's next request, and that one would never be read.
   */
  discardRest(): void {
    this.#request?.resume();
  }

  /** Calls back when the caller goes away before the answer is finished. */
  onGone(callback: () => void): void {
    const response = this.#response;
    response?.once('close', () => {
      if (!response.writableFinished) callback();
    });
  }

  /** Resolves when what was written so far has been taken, or when there is nobody left to take it. */
  async drained(): Promise<void> {
    const response = this.#response;
    if (!response?.writableNeedDrain || response.destroyed) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        response.off('drain', done).off('close', done);
        resolve();
      };
      response.on('drain', done).on('close', done);
    });
  }
}

function isRequestStart(message: unknown): message is RequestStart {
  return message instanceof Object && 'request' in message && 'response' in message;
}
