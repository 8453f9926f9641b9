import type { HttpHandler } from '@azure/functions';
import { type AnswerKind, negotiate } from '../http/negotiate.ts';
import { type Exchange, frontDoor } from '../http/front-door.ts';
import type { Reply } from '../http/reply.ts';
import { readImage } from '../image/read.ts';
import type { Service } from '../service.ts';
import type { Answer } from '../vision/answer.ts';
import { ask } from '../vision/ask.ts';
import { parseQuestion } from '../vision/question.ts';

/** `POST /api/processImage`: what the model says about one image. */
export function processImage(service: () => Service, timeoutMs: number): HttpHandler {
  return frontDoor(timeoutMs, async (exchange) => {
    const { settings, model } = service();
    const { request, facts } = exchange;
    const kind = negotiate(request.headers.get('accept'));
    const question = parseQuestion(Object.fromEntries(request.query), settings);
    const image = await readImage(exchange, settings);
    const answer = await ask(model, question, [image], exchange, settings);
    Object.assign(facts, { images: answer.images, usage: answer.usage, finishReason: answer.finishReason, upstreamRequestId: answer.upstreamRequestId });
    return respond(kind, answer, exchange);
  });
}

function respond(kind: AnswerKind, answer: Answer, { requestId }: Exchange): Reply {
  if (kind === 'text/plain') {
    return { status: 200, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: answer.answer || (answer.refusal ?? '') };
  }
  return { status: 200, headers: { 'content-type': kind }, body: JSON.stringify({ ...answer, requestId }) };
}
