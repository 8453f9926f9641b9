import type { OpenAI } from 'openai';
import type { Stream } from 'openai/streaming';
import { CallerGone, type Deadline, DeadlinePassed } from '../http/deadline.ts';
import type { Settings, Target } from '../config/settings.ts';
import { type CallerIdentity, isTokenRefused } from './access-denied.ts';
import { currentCall } from './call.ts';
import { createClient } from './client.ts';
import { notACompletion, timedOut, upstreamFailure, upstreamRequestId } from './failures.ts';
import type { TokenSource } from './token-source.ts';
import { Upstreams } from './upstreams.ts';

/** What the model needs of the request it works for. */
export interface Caller {
  readonly deadline: Deadline;
  readonly stopwatch: {
    time<T>(
      stage: 'token' | 'model',
      work: () => Promise<T>,
      asked?: { deployment: string; endpoint: string },
    ): Promise<T>;
  };
}

/** A chat completion request in which images are placeholders, and the images. */
export interface ModelRequest {
  /** Chat Completions parameters; the model is ours to name. */
  readonly params: object;
  readonly images: ReadonlyMap<string, Buffer>;
}

/** What came back: nothing about its shape is taken on trust. */
export interface ModelResponse {
  readonly completion: unknown;
  readonly upstreamRequestId: string | null;
}

/** An answer on its way, from its first chunk on. */
export interface ModelStream {
  readonly chunks: AsyncIterable<unknown>;
  readonly upstreamRequestId: string | null;
}

/** One deployment and the client that asks it. */
interface Upstream extends Target {
  readonly client: OpenAI;
}

/** How one attempt is made. */
interface Attempt {
  readonly upstream: Upstream;
  readonly maxRetries: number;
  readonly identity: CallerIdentity;
}

/** The deployments, reached as this process's identity. One for each process: clients, token and connections are shared. */
export class Model {
  readonly #upstreams: Upstreams<Upstream>;
  readonly #maxRetries: number;
  readonly #tokens: TokenSource | undefined;

  /** Without tokens, it is asked with the key of the settings. */
  constructor(settings: Settings, tokens: TokenSource | undefined) {
    const { endpoint, deployment, second } = settings;
    const targets = [{ endpoint, deployment }, ...(second ? [second] : [])];
    this.#tokens = tokens;
    this.#maxRetries = settings.upstreamMaxRetries;
    this.#upstreams = new Upstreams(
      targets.map((target) =>
        Object.assign(target, { client: createClient(settings, target, async () => tokens?.get() ?? '') }),
      ),
    );
  }

  /**
   * Asks the deployment, with the SDK's retries, within the caller's deadline.
   * @throws {Problem} one of those about the identity or the upstream
   */
  async complete(request: ModelRequest, caller: Caller): Promise<ModelResponse> {
    return this.#ask(request, caller, async (attempt) => {
      const { data, response } = await post<unknown>(request, caller, attempt, false).withResponse();
      return { completion: data, upstreamRequestId: upstreamRequestId(response.headers) };
    });
  }

  /**
   * The same as a stream. Resolves when the answer has begun, so that what goes wrong before can still be told by status.
   * @throws {Problem} so does reading the chunks
   */
  async stream(request: ModelRequest, caller: Caller): Promise<ModelStream> {
    return this.#ask(request, caller, async (attempt) => {
      const { data, response } = await post<Stream<unknown>>(request, caller, attempt, true).withResponse();
      const chunks = data[Symbol.asyncIterator]();
      const first = await chunks.next();
      if (first.done) throw notACompletion();
      return {
        chunks: readOn(first.value, chunks, caller.deadline, attempt.identity),
        upstreamRequestId: upstreamRequestId(response.headers),
      };
    });
  }

  async #ask<T>(
    request: ModelRequest,
    { deadline, stopwatch }: Caller,
    send: (attempt: Attempt) => Promise<T>,
  ): Promise<T> {
    // Fetched here so that waiting for it has a deadline and a time of its own; the SDK then finds it ready.
    const token = await stopwatch.time('token', async () => this.#token(deadline));
    const call = { images: request.images, remaining: () => deadline.remaining() };
    const askOne = async (upstream: Upstream, isLast: boolean): Promise<T> => {
      const identity = { endpoint: upstream.endpoint, token };
      try {
        return await deadline.race(
          currentCall.run(call, async () => send({ upstream, identity, maxRetries: isLast ? this.#maxRetries : 0 })),
        );
      } catch (error) {
        if (isTokenRefused(error)) this.#tokens?.discard(token);
        throw asProblem(error, deadline.signal, identity);
      }
    };
    return this.#upstreams.ask(async (upstream, isLast) => {
      const { deployment, endpoint } = upstream;
      return stopwatch.time('model', async () => askOne(upstream, isLast), { deployment, endpoint });
    });
  }

  async #token(deadline: Deadline): Promise<string> {
    if (!this.#tokens) return '';
    try {
      return await deadline.race(this.#tokens.get());
    } catch (error) {
      throw error instanceof DeadlinePassed ? await this.#tokens.onTokenTimeout() : error;
    }
  }
}

function post<T>({ params }: ModelRequest, { deadline }: Caller, { upstream, maxRetries }: Attempt, stream: boolean) {
  const { client, deployment } = upstream;
  return client.post<T>('/chat/completions', {
    body: { ...params, model: deployment },
    signal: deadline.signal,
    stream,
    maxRetries,
  });
}

async function* readOn(
  first: unknown,
  rest: AsyncIterator<unknown>,
  deadline: Deadline,
  identity: CallerIdentity,
): AsyncGenerator {
  let next: IteratorResult<unknown> = { value: first };
  try {
    while (!next.done) {
      yield next.value;
      next = await deadline.race(rest.next());
    }
  } catch (error) {
    throw asProblem(error, deadline.signal, identity);
  } finally {
    // Ends the upstream's answer where this one is not read to its end; the SDK's loop would be told nothing.
    await rest.return?.();
  }
  // The SDK ends an aborted stream as if it were complete.
  if (deadline.signal.aborted) throw asProblem(deadline.signal.reason, deadline.signal, identity);
}

/** An aborted request has one of two reasons; anything else is the upstream's doing. A caller who went away stays that. */
function asProblem(error: unknown, signal: AbortSignal, identity: CallerIdentity): unknown {
  const reason: unknown = signal.aborted ? signal.reason : error;
  if (reason instanceof CallerGone) return reason;
  return reason instanceof DeadlinePassed ? timedOut(error) : upstreamFailure(error, identity);
}
