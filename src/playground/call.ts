import { createParser } from 'eventsource-parser';
import type { FunctionKey } from './function-key.ts';
import { text } from './member.ts';
import { brokenOff, type Problem, problemOfDocument, problemOfResponse, unreachable } from './problem.ts';

/** A request to send. */
export interface Call {
  readonly url: string;
  readonly body: FormData;
  /** The header with the key or the token; undefined if none is needed. */
  readonly header: FunctionKey['header'];
  /** Cancels the request at any stage. */
  readonly signal: AbortSignal;
}

/** Receives the progress of a call. */
export interface Listener {
  /** Reports how much of the body is sent, from 0 to 1. */
  sent(share: number): void;
  words(text: string): void;
}

/** How a call ended. */
export type Ending =
  | { readonly done: unknown; readonly serverTiming: string | null }
  | { readonly problem: Problem }
  | { readonly stopped: true };

/**
 * Sends a question, and resolves when the answer has ended. Never rejects. It uses XMLHttpRequest, because fetch does
 * not report the progress of an upload.
 */
export async function call({ url, body, header, signal }: Call, listener: Listener): Promise<Ending> {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    const answer = new StreamedAnswer(listener);
    request.open('POST', url);
    request.setRequestHeader('accept', 'text/event-stream');
    if (header) request.setRequestHeader(...header);

    request.upload.addEventListener('progress', ({ loaded, total }) => listener.sent(total ? loaded / total : 0));
    request.upload.addEventListener('load', () => listener.sent(1));
    // Read the request id now: if the connection breaks, the headers are no longer available.
    let requestId: string | null = null;
    request.addEventListener('readystatechange', () => (requestId ??= request.getResponseHeader('x-request-id')));
    const read = (): void => {
      if (isStream(request)) answer.read(request.responseText);
    };
    request.addEventListener('progress', read);
    request.addEventListener('load', () => {
      read();
      resolve(isStream(request) ? ending(answer, request) : { problem: problemOf(request) });
    });
    request.addEventListener('error', () =>
      resolve({ problem: requestId === null ? unreachable() : brokenOff(requestId) }),
    );
    request.addEventListener('abort', () => resolve({ stopped: true }));
    signal.addEventListener('abort', () => request.abort());
    request.send(body);
  });
}

function isStream(request: XMLHttpRequest): boolean {
  return request.status === 200 && (request.getResponseHeader('content-type') ?? '').startsWith('text/event-stream');
}

function ending({ done, failed }: StreamedAnswer, request: XMLHttpRequest): Ending {
  if (failed !== undefined) return { problem: problemOfDocument(failed) };
  if (done === undefined) return { problem: brokenOff(request.getResponseHeader('x-request-id')) };
  return { done, serverTiming: request.getResponseHeader('server-timing') };
}

function problemOf(request: XMLHttpRequest): Problem {
  const header = (name: string): string | null => request.getResponseHeader(name);
  return problemOfResponse({
    status: request.status,
    body: request.responseText,
    requestId: header('x-request-id'),
    retryAfter: header('retry-after'),
  });
}

/** Reads events from a response text that grows. */
class StreamedAnswer {
  done: unknown;
  failed: unknown;
  #read = 0;
  readonly #parser;

  constructor(listener: Listener) {
    this.#parser = createParser({
      onEvent: ({ event, data }) => {
        const parsed: unknown = JSON.parse(data);
        if (event === 'delta') listener.words(text(parsed, 'text') ?? '');
        if (event === 'done') this.done = parsed;
        if (event === 'error') this.failed = parsed;
      },
    });
  }

  read(whole: string): void {
    this.#parser.feed(whole.slice(this.#read));
    this.#read = whole.length;
  }
}
