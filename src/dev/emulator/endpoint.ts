import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Answer } from './answer.ts';
import { type Fault, FaultQueue, faultyAnswer, replacesAnswer } from './fault.ts';
import { readBody, type RecordedRequest, recordRequest } from './recorded-request.ts';
import { send } from './send.ts';

/** Returns the correct answer to a request. */
export type Respond = (request: RecordedRequest) => Answer | Promise<Answer>;

/** How an endpoint behaves while no fault is queued. */
export interface EndpointOptions {
  /** Whether to keep requests, so that a test can read them. A long run would fill its memory with them. */
  record: boolean;
  /** The speed of streams, in milliseconds per word. */
  wordDelayMs: number;
  /** The time from a request to the first byte of its answer, in milliseconds. */
  delayMs?: number;
}

/** An endpoint of the emulated Azure. It records its requests, and fails on demand. */
export class Endpoint {
  /** The requests so far, oldest first. */
  readonly requests: RecordedRequest[] = [];
  readonly #faults = new FaultQueue();
  readonly #respond: Respond;
  readonly #options: EndpointOptions;

  constructor(respond: Respond, options: EndpointOptions) {
    this.#respond = respond;
    this.#options = options;
  }

  /** Applies a fault to the next `times` requests. `Infinity` means until {@link reset}. */
  fail(fault: Fault, times = 1): void {
    this.#faults.add(fault, times);
  }

  /** Removes all faults and recorded requests. */
  reset(): void {
    this.#faults.clear();
    this.requests.length = 0;
  }

  /** Handles a request from its first byte to the last byte of its answer. */
  async handle(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const request = recordRequest(req, res);
    if (this.#options.record) this.requests.push(request);
    const { wordDelayMs, delayMs = 0 } = this.#options;
    const fault = { wordDelayMs, delayMs, ...this.#faults.take() };
    const arrived = performance.now();

    request.body = await readBody(req);
    const answer = replacesAnswer(fault) ? faultyAnswer(fault) : await this.#respond(request);
    const left = fault.delayMs - (performance.now() - arrived);
    await send(res, answer, { ...fault, delayMs: left }, request.sentAt);
  }
}
