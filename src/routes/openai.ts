import type { ModelResponse, ModelStream } from '../azure/model.ts';
import type { Handle, Reply, RequestContext } from '../http/create-handler.ts';
import { EVENT_STREAM_HEADERS, formatEvent, withFailure, withHeartbeats } from '../http/events.ts';
import type { Problem } from '../http/problem.ts';
import type { ReadImage } from '../image/image-reader.ts';
import { describeSent } from '../image/strip-metadata.ts';
import type { AttachmentLimits } from '../request/attachments.ts';
import { type OpenAiRequest, readChat } from '../request/chat.ts';
import { readJson } from '../request/form.ts';
import type { LargeJson } from '../request/large-json.ts';
import type { Service } from './service.ts';
import { openAiError } from '../http/problem-response.ts';
import { chatChunks, chatCompletion } from '../vision/chat-answer.ts';
import { modelOf, usageOf } from '../vision/completion.ts';
import { readResponsesRequest } from '../request/responses.ts';
import { factsOf, responseEvents, wholeResponse } from '../vision/responses-answer.ts';

/**
 * `POST /api/chat/completions`: OpenAI's Chat Completions. OpenAI's clients work with it, without a key for the model.
 */
export function chatCompletions(service: Service): Handle {
  return openAiRoute(service, {
    read: readChat,
    whole: chatCompletion,
    events: chatChunks,
    factsOf(answer) {
      const model = modelOf(answer);
      const usage = usageOf(answer);
      return { ...(model ? { model } : {}), ...(usage ? { usage } : {}) };
    },
    format: (event) => `data: ${JSON.stringify(event)}\n\n`,
    end: 'data: [DONE]\n\n',
    failed: openAiError,
  });
}

/** `POST /api/responses`: OpenAI's Responses. The service stores nothing. */
export function responses(service: Service): Handle {
  return openAiRoute(service, {
    read: readResponsesRequest,
    whole: wholeResponse,
    events: responseEvents,
    factsOf,
    format: (event) => formatEvent('type' in event ? String(event.type) : 'message', event),
    end: '',
    failed(problem, requestId, last) {
      const { error } = openAiError(problem, requestId);
      const { code, message, param } = error;
      // The API's reference describes members of the event. Clients look for `error`. So the event has both.
      return { type: 'error', sequence_number: numberBehind(last), code, message, param, error };
    },
  });
}

/** What this app does differently for each of OpenAI's APIs. */
interface OpenAiApi {
  readonly read: (json: LargeJson, limits: AttachmentLimits, readImage: ReadImage) => Promise<OpenAiRequest>;
  /** Checks a whole answer. Throws a problem if it is not valid. */
  readonly whole: (answer: unknown) => object;
  /** Checks the events of a stream as they arrive. */
  readonly events: (events: AsyncIterable<unknown>) => AsyncIterable<object>;
  /** Returns the facts for the log line that an answer or an event states. */
  readonly factsOf: (answer: unknown) => Readonly<Record<string, unknown>>;
  /** Formats an event as text. */
  readonly format: (event: object) => string;
  /** The text after the last event. */
  readonly end: string;
  /** Makes the event that reports a problem. `last` is the event before it. */
  readonly failed: (problem: Problem, requestId: string, last: object | undefined) => object;
}

/**
 * Checks the images and files of a request to one of OpenAI's APIs, forwards it to the model, and returns the answer.
 */
function openAiRoute(service: Service, api: OpenAiApi): Handle {
  return async (context) => {
    const { request, stream } = await read(context, service, api);
    if (stream) return streamed(await service.model.stream(request, context), context, api);
    return whole(await service.model.complete(request, context), context, api);
  };
}

async function read(
  { request, deadline, stopwatch, facts, onFinish }: RequestContext,
  { settings, admission, imageReader }: Service,
  api: OpenAiApi,
): Promise<OpenAiRequest> {
  const reservation = admission.enter();
  onFinish(reservation.leave);
  return stopwatch.time('read', async () => {
    const incoming = { request, deadline, reservation };
    const readImage = imageReader.forRequest(incoming);
    const asked = await readJson(incoming, settings, async (json) => api.read(json, settings, readImage));
    reservation.keep([...asked.images.map(({ bytes }) => bytes), ...[...asked.request.images.values()].flat()]);
    facts['images'] = asked.images.map(describeSent);
    return asked;
  });
}

function whole({ completion, upstreamRequestId }: ModelResponse, { facts }: RequestContext, api: OpenAiApi): Reply {
  Object.assign(facts, { upstreamRequestId }, api.factsOf(completion));
  return {
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(api.whole(completion)),
  };
}

function streamed({ chunks, upstreamRequestId }: ModelStream, context: RequestContext, api: OpenAiApi): Reply {
  context.facts['upstreamRequestId'] = upstreamRequestId;
  let last: object | undefined;
  const noteLast = (event: object): void => void (last = event);
  const tell = (error: unknown): string => api.format(api.failed(context.toProblem(error), context.requestId, last));
  return {
    status: 200,
    headers: EVENT_STREAM_HEADERS,
    body: withHeartbeats(withFailure(toText(api.events(chunks), context, api, noteLast), tell)),
  };
}

async function* toText(
  events: AsyncIterable<object>,
  { facts }: RequestContext,
  api: OpenAiApi,
  noteLast: (event: object) => void,
): AsyncGenerator<string> {
  for await (const event of events) {
    noteLast(event);
    Object.assign(facts, api.factsOf(event));
    yield api.format(event);
  }
  if (api.end) yield api.end;
}

/** Returns the sequence number for the event after `last`. Events are numbered from 0, and clients sort by number. */
function numberBehind(last: object | undefined): number {
  const number = last && 'sequence_number' in last ? last.sequence_number : undefined;
  return typeof number === 'number' ? number + 1 : 0;
}
