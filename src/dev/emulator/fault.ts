import { STATUS_CODES } from 'node:http';
import { type Answer, jsonAnswer } from './answer.ts';

/**
 * How a request is to go wrong. What is left out stays as it would have been: `{ delayMs: 500 }` alone is
 * the right answer, late.
 */
export interface Fault {
  /** Without a `body`, the body is Azure's error shape for that status. */
  status?: number;
  /** Added to those of the answer, or in place of them. */
  headers?: Record<string, string>;
  /** An object is sent as JSON, a string as it is. */
  body?: object | string;
  /** The time from the request to the first byte. */
  delayMs?: number;
  /** Cuts the connection: before anything was sent, or after half of it. */
  breakOff?: 'before-headers' | 'mid-body';
  /** Never answers. */
  silent?: boolean;
  /** Waits before each event of a stream. */
  wordDelayMs?: number;
}

/** Whether a fault puts an answer of its own in place of the right one. */
export function replacesAnswer({ status, body }: Fault): boolean {
  return status !== undefined || body !== undefined;
}

/** The answer that such a fault makes. */
export function faultyAnswer({ status = 200, body }: Fault): Answer {
  if (typeof body === 'string') return { status, headers: { 'content-type': 'text/plain' }, body: [body] };
  return jsonAnswer(status, body ?? { error: { code: String(status), message: STATUS_CODES[status] } });
}

/** Faults waiting for their requests. */
export class FaultQueue {
  readonly #waiting: { fault: Fault; times: number }[] = [];

  /** Lets the next `times` requests go wrong that way, after those already queued. */
  add(fault: Fault, times: number): void {
    this.#waiting.push({ fault, times });
  }

  /** The fault for the request that has just come, if there is one. */
  take(): Fault | undefined {
    const next = this.#waiting[0];
    if (next && --next.times <= 0) this.#waiting.shift();
    return next?.fault;
  }

  clear(): void {
    this.#waiting.length = 0;
  }
}
