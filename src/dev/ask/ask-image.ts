import { openAsBlob } from 'node:fs';
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as v from 'valibot';

/** What is asked about every image. */
export interface Question {
  instructions: string;
  schema: Record<string, unknown> | undefined;
  /** The function key. */
  key: string | undefined;
}

/** As much of the app's answer as is kept. */
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

/** The app is asked to wait by these: a rate limit, and too much at once or no token. */
const LATER = new Set([429, 503]);
/** The wait where the app names none, in milliseconds; it doubles. */
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 60_000;
/** After so many milliseconds of being told to wait, an image has failed. */
const PATIENCE_MS = 10 * 60_000;

/** Makes everybody wait where the app has told one to. */
export class Pause {
  #until = 0;

  extend(ms: number): void {
    this.#until = Math.max(this.#until, Date.now() + ms);
  }

  /** @throws the signal's reason if it is aborted before the wait is over */
  async wait(signal: AbortSignal): Promise<void> {
    for (let ms = this.#until - Date.now(); ms > 0; ms = this.#until - Date.now())
      await sleep(ms, undefined, { signal });
  }
}

/**
 * Asks the app about one image, which is read from disk as it is sent. Waits when the app says so.
 *
 * @param stop - ends waiting, but not a request that is under way
 * @throws Error with what the app says is wrong
 */
export async function askImage(
  url: string,
  file: string,
  { instructions, schema, key }: Question,
  pause: Pause,
  stop: AbortSignal,
): Promise<Answer> {
  const givenUpAt = Date.now() + PATIENCE_MS;
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)) {
    await pause.wait(stop);
    const form = new FormData();
    form.set('instructions', instructions);
    if (schema) form.set('schema', JSON.stringify(schema));
    form.set('image', await openAsBlob(file), basename(file));
    // As a stream it is sent chunked: with a Content-Length, the Functions host would first read all of it.
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
    if (!LATER.has(answer.status) || Date.now() > givenUpAt) throw new Error(await reasonOf(answer));
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

/** Milliseconds of a Retry-After, which is in seconds or a date (RFC 9110, section 10.2.3). */
function retryAfterMs(header: string | null): number | undefined {
  if (!header) return undefined;
  const ms = /^\d+$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(ms, 0);
}
