import { openAsBlob } from 'node:fs';
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as v from 'valibot';

/** The question about every image. */
export interface Question {
  instructions: string;
  schema: Record<string, unknown> | undefined;
  /** The function key. */
  key: string | undefined;
}

/** The part of the app's answer that is kept. */
export const Answer = v.object({
  answer: v.nullable(v.string()),
  data: v.optional(v.record(v.string(), v.unknown())),
  refusal: v.nullable(v.string()),
  finishReason: v.string(),
  model: v.string(),
  usage: v.object({ inputTokens: v.number(), outputTokens: v.number(), totalTokens: v.number() }),
});
export type Answer = v.InferOutput<typeof Answer>;

const Problem = v.object({ title: v.string(), detail: v.optional(v.string()), code: v.string() });

/** Statuses after which to wait and ask again: 429 for a rate limit, 503 for an overloaded app or a missing token. */
const RETRY_STATUSES = new Set([429, 503]);
/** The first wait if the response has no Retry-After, in milliseconds. It doubles each time, up to the longest wait. */
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 60_000;
/** Milliseconds to keep asking about an image while the app says to wait. Then the image has failed. */
const RETRY_FOR_MS = 10 * 60_000;

/** Makes all workers wait when the app has told one of them to wait. */
export class Pause {
  #until = 0;

  extend(ms: number): void {
    this.#until = Math.max(this.#until, Date.now() + ms);
  }

  /** Resolves when the wait is over. @throws {Error} an AbortError if the signal is aborted before */
  async wait(signal: AbortSignal): Promise<void> {
    for (let ms = this.#until - Date.now(); ms > 0; ms = this.#until - Date.now())
      await sleep(ms, undefined, { signal });
  }
}

/**
 * Asks the app about one image. The image is read from disk while it is sent. If the app says to wait, it waits and
 * asks again.
 *
 * @param stop - ends a wait, but not a request in progress
 * @throws {Error} with the app's problem as its message
 */
export async function askImage(
  url: string,
  file: string,
  { instructions, schema, key }: Question,
  pause: Pause,
  stop: AbortSignal,
): Promise<Answer> {
  const deadline = Date.now() + RETRY_FOR_MS;
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)) {
    await pause.wait(stop);
    const form = new FormData();
    form.set('instructions', instructions);
    if (schema) form.set('schema', JSON.stringify(schema));
    form.set('image', await openAsBlob(file), basename(file));
    // Send a stream, which is chunked. With a Content-Length, the Functions host would first read all of it.
    const { body, headers } = new Response(form);
    headers.set('accept', 'application/json');
    if (key) headers.set('x-functions-key', key);
    const answer = await fetch(new URL('api/processImage', `${url}/`), {
      method: 'POST',
      headers,
      body,
      duplex: 'half',
    });
    if (answer.ok) return v.parse(Answer, await answer.json());
    if (!RETRY_STATUSES.has(answer.status) || Date.now() > deadline) throw new Error(await reasonOf(answer));
    await answer.body?.cancel();
    pause.extend(retryAfterMs(answer.headers.get('retry-after')) ?? waitMs);
  }
}

async function reasonOf(answer: Response): Promise<string> {
  const text = await answer.text();
  try {
    const { title, detail, code } = v.parse(Problem, JSON.parse(text));
    return `${detail ?? title} (${code})`;
  } catch {
    return `The app answered ${answer.status}${text ? `: ${text.slice(0, 200)}` : ''}.`;
  }
}

/** Returns the milliseconds of a Retry-After header, which has seconds or a date (RFC 9110, section 10.2.3). */
function retryAfterMs(header: string | null): number | undefined {
  if (!header) return undefined;
  const ms = /^\d+$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(ms, 0);
}
