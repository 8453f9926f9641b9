import { APIError, type ClientOptions, type OpenAI } from 'openai';
import type { Stream } from 'openai/streaming';
import { isRecord, parseJson } from '../config/json-object.ts';
import type { Settings, Target } from '../config/settings.ts';
import { CallerGone, type Deadline, DeadlinePassed } from '../http/deadline.ts';
import { isTokenRefused } from './access-denied.ts';
import { isJson, wholeAnswer, withoutError } from './answer-kind.ts';
import { createClient } from './client.ts';
import { type Asked, notACompletion, timedOut, upstreamFailure, upstreamRequestId } from './failures.ts';
import { type Protocol, PROTOCOLS } from './protocol.ts';
import type { Pieces } from './request-body.ts';
import type { TokenSource } from './token-source.ts';
import type { Call, TransportInit } from './transport.ts';
import { Upstreams } from './upstreams.ts';

/** The parts of a caller's request that the model needs. */
export interface Caller {
  readonly deadline: Deadline;
  readonly stopwatch: {
    time<T>(
      stage: 'token' | 'model',
      work: () => Promise<T>,
      asked?: { deployment: string; endpoint: string; api: ModelRequest['api'] },
    ): Promise<T>;
  };
}

/** A request to the model, with placeholders for images and files. */
export interface ModelRequest {
  readonly api: keyof typeof PROTOCOLS;
  /** The API's parameters. The app sets `model` itself. */
  readonly params: object;
  /** The bytes of images and files, by placeholder. */
  readonly images: ReadonlyMap<string, Pieces>;
  /** Whether the caller wrote the parameters, and so gets the service's message if they are invalid. */
  readonly isCallersOwn: boolean;
}

/** A whole response of the model. */
export interface ModelResponse {
  /** Not validated. */
  readonly completion: unknown;
  readonly upstreamRequestId: string | null;
}

/** A streamed response of the model. */
export interface ModelStream {
  /** All chunks, including the first one. They are not validated. */
  readonly chunks: AsyncIterable<unknown>;
  readonly upstreamRequestId: string | null;
}

/** One deployment and its clients. */
interface Upstream extends Target {
  readonly client: OpenAI;
  /** The client for APIs that exist only below `/openai/v1/`. */
  readonly v1Client: OpenAI;
}

/** One request to one deployment. */
interface ModelCall {
  readonly upstream: Upstream;
  readonly maxRetries: number;
  readonly call: Call;
  /** Turns an error into the problem that the caller gets. */
  readonly explain: (error: unknown, answerBegun?: boolean) => unknown;
}

/** The deployments. All requests of a process share one instance, with its clients, token and connections. */
export class Model {
  readonly #upstreams: Upstreams<Upstream>;
  readonly #maxRetries: number;
  readonly #tokens: TokenSource | undefined;

  /** @param tokens - undefined to use the key in the settings */
  constructor(settings: Settings, tokens: TokenSource | undefined) {
    const { endpoint, deployment, second } = settings;
    const targets = [{ endpoint, deployment }, ...(second ? [second] : [])];
    const token = async (): Promise<string> => tokens?.get() ?? '';
    this.#tokens = tokens;
    this.#maxRetries = settings.upstreamMaxRetries;
    this.#upstreams = new Upstreams(
      targets.map((target) => {
        const client = createClient(settings, target, token);
        const v1Client = createClient({ ...settings, apiVersion: 'v1' }, target, token);
        return Object.assign(target, { client, v1Client });
      }),
    );
  }

  /**
   * Asks the model and returns the whole response. The SDK retries within the caller's deadline.
   * @throws {Problem} if there is no token, or the model's service failed or refused
   * @throws {CallerGone} if the caller has disconnected
   */
  async complete(request: ModelRequest, caller: Caller): Promise<ModelResponse> {
    return this.#ask(request, caller, async (attempt) => {
      const { data, response } = await post<unknown>(request, caller, attempt, false).withResponse();
      const completion = await wholeAnswer(data, response, PROTOCOLS[request.api].fromEvents);
      if (!isRecord(completion)) throw notACompletion(response);
      return { completion, upstreamRequestId: upstreamRequestId(response.headers) };
    });
  }

  /**
   * Asks the model and returns a stream. It resolves at the first chunk, so that failures before it can still change
   * the status of the response.
   * @throws {Problem} as {@link Model.complete} does; so does reading the chunks
   * @throws {CallerGone} if the caller has disconnected; so does reading the chunks
   */
  async stream(request: ModelRequest, caller: Caller): Promise<ModelStream> {
    return this.#ask(request, caller, async (attempt) => {
      const { data, response } = await post<Stream<unknown>>(request, caller, attempt, true).withResponse();
      const chunks = isJson(response) ? onlyEvent(response, PROTOCOLS[request.api]) : data[Symbol.asyncIterator]();
      const first = await chunks.next();
      if (first.done) throw notACompletion(response);
      withoutError(first.value, response.headers);
      return {
        chunks: readOn(first.value, chunks, {
          deadline: caller.deadline,
          hasWords: PROTOCOLS[request.api].hasWords,
          explain: attempt.explain,
        }),
        upstreamRequestId: upstreamRequestId(response.headers),
      };
    });
  }

  async #ask<T>(request: ModelRequest, caller: Caller, send: (attempt: ModelCall) => Promise<T>): Promise<T> {
    const { deadline, stopwatch } = caller;
    // Get the token here, so that the wait has a deadline and is timed separately. The SDK then gets the same one.
    const token = await stopwatch.time('token', async () => this.#token(deadline));
    const askOne = async (upstream: Upstream, isLast: boolean): Promise<T> => {
      const call: Call = { images: request.images, deadline, attempts: 0, failure: undefined };
      const identity = { endpoint: upstream.endpoint, token };
      const explain = (error: unknown, answerBegun = false): unknown =>
        asProblem(call.failure ?? error, deadline.signal, {
          identity,
          isCallersOwn: request.isCallersOwn,
          attempts: call.attempts,
          answerBegun,
        });
      try {
        return await deadline.race(send({ upstream, call, explain, maxRetries: isLast ? this.#maxRetries : 0 }));
      } catch (error) {
        if (error instanceof APIError && isTokenRefused(error)) this.#tokens?.discard(token);
        throw explain(error);
      }
    };
    return this.#upstreams.ask(async (upstream, isLast) => {
      const { deployment, endpoint } = upstream;
      return stopwatch.time('model', async () => askOne(upstream, isLast), { deployment, endpoint, api: request.api });
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

function post<T>(
  { api, params }: ModelRequest,
  { deadline }: Caller,
  { upstream, maxRetries, call }: ModelCall,
  stream: boolean,
) {
  const { deployment } = upstream;
  const protocol = PROTOCOLS[api];
  const client = protocol.isV1Only ? upstream.v1Client : upstream.client;
  const fetchOptions: ClientOptions['fetchOptions'] & Pick<TransportInit, 'call' | 'streams'> = {
    call,
    streams: stream,
  };
  return client.post<T>(protocol.path, {
    body: { ...params, model: deployment },
    signal: deadline.signal,
    stream,
    maxRetries,
    fetchOptions,
  });
}

async function* onlyEvent(response: Response, { toEvent }: Protocol): AsyncGenerator<unknown, undefined> {
  const event = toEvent(withoutError(parseJson(await response.text()), response.headers));
  if (event) yield event;
}

async function* readOn(
  first: unknown,
  rest: AsyncIterator<unknown>,
  { deadline, hasWords, explain }: Pick<Caller, 'deadline'> & Pick<Protocol, 'hasWords'> & Pick<ModelCall, 'explain'>,
): AsyncGenerator {
  let next: IteratorResult<unknown> = { value: first };
  let hasBegun = false;
  try {
    while (!next.done) {
      hasBegun ||= hasWords(next.value);
      yield withoutError(next.value, undefined);
      next = await deadline.race(rest.next());
    }
  } catch (error) {
    throw explain(error, hasBegun);
  } finally {
    // If the reader stops early, cancel the model's response.
    await rest.return?.();
  }
  // The SDK ends an aborted stream without an error, as if it were complete.
  if (deadline.signal.aborted) throw explain(deadline.signal.reason);
}

/** Turns an error into a problem. If the request was aborted, its signal's reason counts. CallerGone is kept. */
function asProblem(error: unknown, signal: AbortSignal, asked: Asked): unknown {
  const reason: unknown = signal.aborted ? signal.reason : error;
  if (reason instanceof CallerGone) return reason;
  return reason instanceof DeadlinePassed ? timedOut(error) : upstreamFailure(error, asked);
}
