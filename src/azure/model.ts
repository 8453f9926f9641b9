import type { OpenAI } from 'openai';
import type { ChatCompletionCreateParamsNonStreaming } from 'openai/resources/chat/completions';
import type { Settings } from '../settings.ts';
import { currentCall } from './call.ts';
import { createClient } from './client.ts';
import { createCredential } from './credential.ts';
import { timedOut, upstreamFailure, upstreamRequestId } from './failures.ts';
import { identityUnavailable } from './identity-failure.ts';
import { TokenSource } from './token-source.ts';

/** What the model needs of the request it works for. */
export interface Caller {
  readonly deadline: { readonly signal: AbortSignal; remaining(): number; race<T>(work: Promise<T>): Promise<T> };
  readonly stopwatch: { time<T>(stage: 'token' | 'model', work: () => Promise<T>): Promise<T> };
}

/** A chat completion request in which images are placeholders, and the images. */
export interface ModelRequest {
  readonly params: Omit<ChatCompletionCreateParamsNonStreaming, 'model'>;
  readonly images: ReadonlyMap<string, Buffer>;
}

/** What came back: nothing about its shape is taken on trust. */
export interface ModelResponse {
  readonly completion: unknown;
  readonly upstreamRequestId: string | null;
}

/** The deployment, reached as this process's identity. One for each process: its client, token and connections are shared. */
export class Model {
  readonly #client: OpenAI;
  readonly #deployment: string;
  readonly #tokens: TokenSource | undefined;

  constructor(settings: Settings, variables: Readonly<Record<string, string | undefined>>) {
    const tokens = settings.apiKey ? undefined : new TokenSource(createCredential(variables), settings.scope);
    this.#tokens = tokens;
    this.#client = createClient(settings, async () => tokens?.get() ?? '');
    this.#deployment = settings.deployment;
  }

  /**
   * Asks the deployment, with the SDK's retries, within the caller's deadline.
   * @throws {Problem} one of those about the identity or the upstream
   */
  async complete(request: ModelRequest, { deadline, stopwatch }: Caller): Promise<ModelResponse> {
    // Fetched here so that waiting for it has a deadline and a time of its own; the SDK then finds it ready.
    await stopwatch.time('token', async () => this.#token(deadline));
    return stopwatch.time('model', async () => {
      const call = { images: request.images, remaining: () => deadline.remaining() };
      try {
        return await deadline.race(currentCall.run(call, async () => this.#create(request.params, deadline.signal)));
      } catch (error) {
        throw deadline.signal.aborted ? timedOut(error) : upstreamFailure(error);
      }
    });
  }

  async #token(deadline: Caller['deadline']): Promise<void> {
    if (!this.#tokens) return;
    try {
      await deadline.race(this.#tokens.get());
    } catch (error) {
      throw deadline.signal.aborted ? identityUnavailable(error) : error;
    }
  }

  async #create(params: ModelRequest['params'], signal: AbortSignal): Promise<ModelResponse> {
    const { data, response } = await this.#client.chat.completions
      .create({ ...params, model: this.#deployment }, { signal })
      .withResponse();
    return { completion: data, upstreamRequestId: upstreamRequestId(response.headers) };
  }
}
