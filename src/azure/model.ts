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
import type { Call } from './transport.ts';
import { Upstreams } from './upstreams.ts';

/** What the model needs of the request it works for. */
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

/** A request in which images and files are placeholders, and their bytes. */
export interface ModelRequest {
  readonly api: keyof typeof PROTOCOLS;
  /** The API's parameters; the model is ours to name. */
  readonly params: object;
  readonly images: ReadonlyMap<string, Pieces>;
  /** Whether the caller wrote the parameters, so that what the service says about them is told to the caller. */
  readonly isCallersOwn: boolean;
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
  /** For what is only to be had below `/openai/v1/`. */
  readonly v1Client: OpenAI;
}

/** One deployment being asked. */
interface Exchange {
  readonly upstream: Upstream;
  readonly maxRetries: number;
  readonly call: Call;
  /** Turns what was thrown into what the caller is told. */
  readonly explain: (error: unknown, answerBegun?: boolean) => unknown;
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
   * Asks the deployment, with the SDK's retries, within the caller's deadline.
   * @throws {Problem} one of those about the identity or the upstream
   */
  async complete(request: ModelRequest, caller: Caller): Promise<ModelResponse> {
    return this.#ask(request, caller, async (exchange) => {
      const { data, response } = await post<unknown>(request, caller, exchange, false).withResponse();
      const completion = await wholeAnswer(data, response, PROTOCOLS[request.api].fromEvents);
      if (!isRecord(completion)) throw notACompletion(response);
      return { completion, upstreamRequestId: upstreamRequestId(response.headers) };
    });
  }

  /**
   * The same as a stream. Resolves when the answer has begun, so that what goes wrong before can still be told by status.
   * @throws {Problem} so does reading the chunks
   */
  async stream(request: ModelRequest, caller: Caller): Promise<ModelStream> {
    return this.#ask(request, caller, async (exchange) => {
      const { data, response } = await post<Stream<unknown>>(request, caller, exchange, true).withResponse();
      const chunks = isJson(response) ? onlyEvent(response, PROTOCOLS[request.api]) : data[Symbol.asyncIterator]();
      const first = await chunks.next();
      if (first.done) throw notACompletion(response);
      withoutError(first.value, response.headers);
      return {
        chunks: readOn(first.value, chunks, {
          deadline: caller.deadline,
          hasWords: PROTOCOLS[request.api].hasWords,
          explain: exchange.explain,
        }),
        upstreamRequestId: upstreamRequestId(response.headers),
      };
    });
  }

  async #ask<T>(request: ModelRequest, caller: Caller, send: (exchange: Exchange) => Promise<T>): Promise<T> {
    const { deadline, stopwatch } = caller;
    // Fetched here so that waiting for it has a deadline and a time of its own; the SDK then finds it ready.
    const token = await stopwatch.time('token', async () => this.#token(deadline));
    const askOne = async (upstream: Upstream, isLast: boolean): Promise<T> => {
      const call: Call = {
        images: request.images,
        remaining: () => deadline.remaining(),
        attempts: 0,
        failure: undefined,
      };
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
  { upstream, maxRetries, call }: Exchange,
  stream: boolean,
) {
  const { deployment } = upstream;
  const protocol = PROTOCOLS[api];
  const client = protocol.isV1Only ? upstream.v1Client : upstream.client;
  const fetchOptions: ClientOptions['fetchOptions'] & { call: Call } = { call };
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
  { deadline, hasWords, explain }: Pick<Caller, 'deadline'> & Pick<Protocol, 'hasWords'> & Pick<Exchange, 'explain'>,
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
    // Ends the upstream's answer where this one is not read to its end; the SDK's loop would be told nothing.
    await rest.return?.();
  }
  // The SDK ends an aborted stream as if it were complete.
  if (deadline.signal.aborted) throw explain(deadline.signal.reason);
}

/** An aborted request has one of two reasons; anything else is the upstream's doing. A caller who went away stays that. */
function asProblem(error: unknown, signal: AbortSignal, asked: Asked): unknown {
  const reason: unknown = signal.aborted ? signal.reason : error;
  if (reason instanceof CallerGone) return reason;
  return reason instanceof DeadlinePassed ? timedOut(error) : upstreamFailure(error, asked);
}
