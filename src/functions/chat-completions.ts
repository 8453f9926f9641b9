import type { ModelResponse, ModelStream } from '../azure/model.ts';
import { EVENT_STREAM_HEADERS, tellingFailure, withHeartbeats } from '../http/events.ts';
import type { Exchange, Handle } from '../http/front-door.ts';
import { openAiError } from '../http/openai-error.ts';
import { readBody } from '../http/read-body.ts';
import type { Reply } from '../http/reply.ts';
import { bodyTooLarge } from '../image/form.ts';
import type { Service } from '../service.ts';
import { chatChunks, chatCompletion } from '../vision/chat-answer.ts';
import { type Chat, readChat } from '../vision/chat.ts';
import { modelOf, usageOf } from '../vision/usage.ts';

/** `POST /api/chat/completions`: OpenAI's wire format, so that any client of it works through this app without a key. */
export function chatCompletions(service: Service): Handle {
  return async (exchange) => {
    const { request, stream } = await read(exchange, service);
    if (stream) return streamed(await service.model.stream(request, exchange), exchange);
    return whole(await service.model.complete(request, exchange), exchange);
  };
}

async function read({ request, connection, deadline, stopwatch, facts, atEnd }: Exchange, { settings, admission }: Service): Promise<Chat> {
  const { maxBodyBytes } = settings;
  const room = admission.enter();
  atEnd(room.leave);
  return stopwatch.time('read', async () => {
    const body = await readBody({ request, connection, deadline, room }, { bytes: maxBodyBytes, exceeded: () => bodyTooLarge(maxBodyBytes) });
    room.grow(body.length); // its images are decoded beside it
    const chat = await readChat(body, settings);
    room.release(body);
    room.keep(chat.images.map(({ bytes }) => bytes));
    facts['images'] = chat.images.map(({ type, width, height, bytes }) => ({ type, width, height, bytes: bytes.length }));
    return chat;
  });
}

function whole({ completion, upstreamRequestId }: ModelResponse, { facts }: Exchange): Reply {
  Object.assign(facts, { model: modelOf(completion), upstreamRequestId, usage: usageOf(completion) });
  return { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(chatCompletion(completion)) };
}

function streamed({ chunks, upstreamRequestId }: ModelStream, exchange: Exchange): Reply {
  exchange.facts['upstreamRequestId'] = upstreamRequestId;
  const tell = (error: unknown): string => toEvent(openAiError(exchange.fail(error), exchange.requestId));
  return { status: 200, headers: EVENT_STREAM_HEADERS, body: withHeartbeats(tellingFailure(toEvents(chatChunks(chunks), exchange), tell)) };
}

async function* toEvents(chunks: AsyncIterable<unknown>, { facts }: Exchange): AsyncGenerator<string> {
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
