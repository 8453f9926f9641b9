import { readEvents } from '../events.ts';

/** The outcome of a request, in the terms of the contract. */
export interface Outcome {
  /** 0 if no answer came. */
  readonly status: number;
  /** The problem's code; `answer` if there is no problem; `none` if there is no response or its body is empty. */
  readonly code: string;
  /** The whole problem, or an empty object. */
  readonly problem: Readonly<Record<string, unknown>>;
  readonly headers: Headers;
  /** The body, unchanged. */
  readonly text: string;
}

/** No answer came, or the client had disconnected. */
export const NO_ANSWER: Outcome = { status: 0, code: 'none', problem: {}, headers: new Headers(), text: '' };

/**
 * Reads a complete response of either route. A problem is the body, or an event after the first words of a stream.
 */
export function outcomeOf(status: number, headers: Headers, text: string): Outcome {
  if (!text) return { ...NO_ANSWER, status, headers };
  const problem = problemIn(headers.get('content-type') ?? '', text);
  return { status, code: problem ? String(problem['code']) : 'answer', problem: problem ?? {}, headers, text };
}

function problemIn(type: string, text: string): Record<string, unknown> | undefined {
  if (type.startsWith('text/plain')) return undefined;
  if (type.startsWith('text/event-stream')) {
    const last = readEvents(text.replace('data: [DONE]\n\n', '')).at(-1);
    return last?.event === 'error' ? last.data : errorIn(last?.data);
  }
  const body: unknown = JSON.parse(text);
  return type.startsWith('application/problem+json') ? (body as Record<string, unknown>) : errorIn(body);
}

/** Converts an error in OpenAI's shape to the shape of a problem. */
function errorIn(body: unknown): Record<string, unknown> | undefined {
  if (!(body instanceof Object) || !('error' in body)) return undefined;
  const { message, ...error } = body.error as Record<string, unknown>;
  return { ...error, detail: message };
}
