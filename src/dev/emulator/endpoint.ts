import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Answer } from './answer.ts';
import { type Fault, FaultQueue, faultyAnswer, replacesAnswer } from './fault.ts';
import { readBody, type RecordedRequest, recordRequest } from './recorded-request.ts';
import { send } from './send.ts';

/** Finds the right answer to a request. */
export type Respond = (request: RecordedRequest) => Answer | Promise<Answer>;

/** How an endpoint behaves as long as no fault is queued. */
export interface EndpointOptions {
  /** Whether requests are kept. A run that nobody reads them from would only fill its memory. */
  record: boolean;
  /** The pace of streams, in milliseconds per word. */
  wordDelayMs: number;
  /** The time from a request to the first byte of its answer, in milliseconds. */
  delayMs?: number;
}

/** One endpoint of the emulated Azure: it keeps what it was asked, and goes wrong when told to. */
export class Endpoint {
  /** What came so far, oldest first. */
  readonly requests: RecordedRequest[] = [];
  readonly #faults = new FaultQueue();
  readonly #respond: Respond;
  readonly #options: EndpointOptions;

  constructor(respond: Respond, options: EndpointOptions) {
    this.#respond = respond;
    this.#options = options;
  }

  /** Lets the next `times` requests go wrong; `Infinity` means until {@link reset}. */
  fail(fault: Fault, times = 1): void {
    this.#faults.add(fault, times);
  }

  /** Forgets the faults and the requests. */
  reset(): void {
    this.#faults.clear();
    this.requests.length = 0;
  }

  /** Takes a request from the first byte to the last of its answer. */
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
