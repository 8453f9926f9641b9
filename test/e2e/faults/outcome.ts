import { readEvents } from '../events.ts';

/** What became of a request, in the terms of the contract. */
export interface Outcome {
  /** 0 where no answer came. */
  readonly status: number;
  /** The problem's code; `answer` where there is one, `none` where the response has no body or there is none. */
  readonly code: string;
  /** The whole problem, or nothing. */
  readonly problem: Readonly<Record<string, unknown>>;
  readonly headers: Headers;
  /** The body as it came. */
  readonly text: string;
}

/** Nobody was there to take an answer, or none came. */
export const NO_ANSWER: Outcome = { status: 0, code: 'none', problem: {}, headers: new Headers(), text: '' };

/**
 * Reads a whole response of either route, however it tells its problems: as a status, or behind the first words of a
 * stream.
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

/** A problem in OpenAI's shape, in the other one's words. */
function errorIn(body: unknown): Record<string, unknown> | undefined {
  if (!(body instanceof Object) || !('error' in body)) return undefined;
  const { message, ...error } = body.error as Record<string, unknown>;
  return { ...error, detail: message };
}
