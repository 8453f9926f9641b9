import { Model } from '../../src/azure/model.ts';
import { readSettings } from '../../src/config/settings.ts';
import { Deadline } from '../../src/http/deadline.ts';
import { Problem } from '../../src/http/problem.ts';
import { Stopwatch } from '../../src/http/stopwatch.ts';

/** How to ask the model. */
export interface AskOptions {
  readonly stream?: boolean;
  /** Whether the caller wrote the parameters, as on the OpenAI routes. */
  readonly isCallersOwn?: boolean;
}

/** The completion or the chunks, and the problem that ended them. */
export interface Outcome {
  readonly answer: unknown;
  readonly problem: Problem | undefined;
  /** Whether the problem came before the first chunk, so that it can still set the status of the response. */
  readonly early: boolean;
}

/** Asks the model at AZURE_OPENAI_ENDPOINT with a key, with the real SDK over real HTTP. */
export async function askModel(
  env: Readonly<Record<string, string>>,
  { stream = false, isCallersOwn = false }: AskOptions = {},
): Promise<Outcome> {
  const settings = readSettings({
    AZURE_OPENAI_DEPLOYMENT: 'gpt-vision',
    AZURE_OPENAI_AUTH: 'key',
    AZURE_OPENAI_API_KEY: 'a-key',
    UPSTREAM_MAX_RETRIES: '0',
    ...env,
  });
  const model = new Model(settings, undefined);
  const caller = { deadline: new Deadline(20_000), stopwatch: new Stopwatch() };
  const params = { messages: [{ role: 'user', content: 'What?' }], ...(stream ? { stream } : {}) };
  const request = { api: 'chat' as const, params, images: new Map(), isCallersOwn };
  const chunks: unknown[] = [];
  let early = true;
  try {
    if (!stream) return { answer: (await model.complete(request, caller)).completion, problem: undefined, early };
    const answer = await model.stream(request, caller);
    early = false;
    for await (const chunk of answer.chunks) chunks.push(chunk);
    return { answer: chunks, problem: undefined, early };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return { answer: chunks, problem: error, early };
  } finally {
    caller.deadline.clear();
  }
}
