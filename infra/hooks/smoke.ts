import { openAsBlob } from 'node:fs';
import * as v from 'valibot';
import { type Attempt, type Patience, withPatience } from './patience.ts';

const IMAGE = new URL('../../test/images/sailboat.jpg', import.meta.url);
const QUESTION = 'What is in this picture? One short sentence.';
/** What a new app answers until roles, names and instances are where they belong. */
const MAY_PASS = new Set([
  'model_access_denied',
  'deployment_not_found',
  'identity_unavailable',
  'rate_limited',
  'upstream_error',
  'upstream_timeout',
  'overloaded',
]);

const Answer = v.object({ answer: v.string(), model: v.string() });
const Problem = v.object({ code: v.string(), detail: v.string() });

/**
 * Waits until the app at this address is alive.
 * @throws {Error} when it is not, with what to look at
 */
export async function waitUntilAlive(app: string, patience: Patience): Promise<void> {
  await withPatience(patience, async () => {
    const status = await statusOf(`${app}/api/health`);
    if (status === 200) return { done: undefined };
    return {
      waitFor:
        status === 404
          ? 'The app has no functions (404). If it stays so, read its log: infra/README.md, "When a deployment fails".'
          : `The app is not up yet (${status}).`,
    };
  });
}

/**
 * Asks about one image, as a caller would.
 * @returns the model's words
 * @throws {Error} what the app said, when it does not answer within the time
 */
export async function askOnce(app: string, key: string, patience: Patience): Promise<string> {
  const image = await openAsBlob(IMAGE);
  return withPatience(patience, async () => {
    const response = await fetch(
      `${app}/api/processImage?${new URLSearchParams({ instructions: QUESTION }).toString()}`,
      {
        method: 'POST',
        headers: { accept: 'application/json', 'x-functions-key': key },
        // A stream is sent chunked, which the Functions host passes on as it arrives.
        body: image.stream(),
        duplex: 'half',
      },
    );
    return judge(response.status, await response.text());
  });
}

function judge(status: number, body: string): Attempt<string> {
  if (status === 200) {
    const { answer, model } = v.parse(Answer, JSON.parse(body));
    return { done: `${model} says: ${answer}` };
  }
  const read = v.safeParse(Problem, parse(body));
  if (!read.success) return { waitFor: `The app answered ${status}.` };
  const problem = read.output;
  if (MAY_PASS.has(problem.code)) return { waitFor: `${problem.code}: ${problem.detail}` };
  throw new Error(`${problem.code}: ${problem.detail}`);
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

async function statusOf(url: string): Promise<number | string> {
  try {
    return (await fetch(url)).status;
  } catch (error) {
    return error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
  }
}
