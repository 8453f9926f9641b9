import type { ModelResponse, ModelStream } from '../azure/model.ts';
import { EVENT_STREAM_HEADERS, withFailure, withHeartbeats } from '../http/events.ts';
import type { RequestContext, Handle, Reply } from '../http/create-handler.ts';
import { openAiError } from '../http/openai-error.ts';
import { readJson } from '../request/form.ts';
import type { Service } from './service.ts';
import { chatChunks, chatCompletion } from '../vision/chat-answer.ts';
import { type Chat, readChat } from '../request/chat.ts';
import { modelOf, usageOf } from '../vision/completion.ts';

/** `POST /api/chat/completions`: OpenAI's wire format, so that any client of it works through this app without a key. */
export function chatCompletions(service: Service): Handle {
  return async (context) => {
    const { request, stream } = await read(context, service);
    if (stream) return streamed(await service.model.stream(request, context), context);
    return whole(await service.model.complete(request, context), context);
  };
}

async function read(
  { request, deadline, stopwatch, facts, onFinish }: RequestContext,
  { settings, admission }: Service,
): Promise<Chat> {
  const reservation = admission.enter();
  onFinish(reservation.leave);
  return stopwatch.time('read', async () => {
    const incoming = { request, deadline, reservation };
    const chat = await readJson(incoming, settings, async (json) => readChat(json, settings));
    reservation.keep(chat.images.map(({ bytes }) => bytes));
    facts['images'] = chat.images.map(({ type, width, height, bytes }) => ({
      type,
      width,
      height,
      bytes: bytes.length,
    }));
    return chat;
  });
}

function whole({ completion, upstreamRequestId }: ModelResponse, { facts }: RequestContext): Reply {
  Object.assign(facts, { model: modelOf(completion), upstreamRequestId, usage: usageOf(completion) });
  return {
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(chatCompletion(completion)),
  };
}

function streamed({ chunks, upstreamRequestId }: ModelStream, context: RequestContext): Reply {
  context.facts['upstreamRequestId'] = upstreamRequestId;
  const tell = (error: unknown): string => toEvent(openAiError(context.toProblem(error), context.requestId));
  return {
    status: 200,
    headers: EVENT_STREAM_HEADERS,
    body: withHeartbeats(withFailure(toEvents(chatChunks(chunks), context), tell)),
  };
}

async function* toEvents(chunks: AsyncIterable<unknown>, { facts }: RequestContext): AsyncGenerator<string> {
  for await (const chunk of chunks) {
    facts['model'] ??= modelOf(chunk);
    facts['usage'] = usageOf(chunk) ?? facts['usage'];
    yield toEvent(chunk);
  }
  yield 'data: [DONE]\n\n';
}

function toEvent(data: unknown): string {
  return `data: ${JSON.stringify(data)}\n\n`;
}
