import { STATUS_CODES } from 'node:http';
import { type Answer, jsonAnswer } from './answer.ts';

/** How a request fails. Members that are not set change nothing: `{ delayMs: 500 }` delays the correct answer. */
export interface Fault {
  /** The status of the answer. Without a `body`, the answer has Azure's error format for this status. */
  status?: number;
  /** Headers to add to the answer, or to replace. */
  headers?: Record<string, string>;
  /** The body: an object is sent as JSON, a string unchanged. */
  body?: object | string;
  /** The time from the request to the first byte of the answer, in milliseconds. */
  delayMs?: number;
  /** Cuts the connection before the answer, or after half of it. */
  breakOff?: 'before-headers' | 'mid-body';
  /** Never answers. */
  silent?: boolean;
  /** The wait before each event of a stream, in milliseconds. */
  wordDelayMs?: number;
}

/** Returns whether a fault replaces the correct answer. */
export function replacesAnswer({ status, body }: Fault): boolean {
  return status !== undefined || body !== undefined;
}

/** Creates the answer of such a fault. */
export function faultyAnswer({ status = 200, body }: Fault): Answer {
  if (typeof body === 'string') return { status, headers: { 'content-type': 'text/plain' }, body: [body] };
  return jsonAnswer(status, body ?? { error: { code: String(status), message: STATUS_CODES[status] } });
}

/** Faults that wait for requests. */
export class FaultQueue {
  readonly #waiting: { fault: Fault; times: number }[] = [];

  /** Queues a fault for `times` requests, after the faults that are already queued. */
  add(fault: Fault, times: number): void {
    this.#waiting.push({ fault, times });
  }

  /** Takes the fault for the next request, if there is one. */
  take(): Fault | undefined {
    const next = this.#waiting[0];
    if (next && --next.times <= 0) this.#waiting.shift();
    return next?.fault;
  }

  clear(): void {
    this.#waiting.length = 0;
  }
}
