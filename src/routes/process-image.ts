import { runStep } from '../http/event-loop.ts';
import { EVENT_STREAM_HEADERS, formatEvent, withFailure, withHeartbeats } from '../http/events.ts';
import type { RequestContext, Handle, Reply } from '../http/create-handler.ts';
import { type AnswerKind, negotiate } from '../http/negotiate.ts';
import { problemBody } from '../http/problem-response.ts';
import { type ReadImage, readImages } from '../image/image-reader.ts';
import { explainDamage } from '../request/content-type.ts';
import { hasFieldsInQueryOnly, readForm, readQuery } from '../request/form.ts';
import { loadImages } from './load-images.ts';
import type { Service } from './service.ts';
import type { Answer, AnswerStep } from '../vision/answer.ts';
import { ask, askStreaming } from '../vision/ask.ts';
import { prepareSchema } from '../vision/output-schema.ts';
import { type ParseQuestion, type Question, questionParser } from '../vision/question.ts';
import type { VisionRequest } from '../vision/vision-request.ts';

/** `POST /api/processImage`: asks the model about one or several images. */
export function processImage(service: Service): Handle {
  const parseQuestion = questionParser(service.settings, {
    beside: ['image (in a form)', 'images (in JSON)'],
    addInstructions: 'add ?instructions=… to the URL, percent-encoded, or a field of that name',
  });
  return async (context) => {
    const kind = negotiate(context.request.headers.get('accept'));
    const vision = await readVisionRequest(context, service, { parseQuestion, plainText: kind === 'text/plain' });
    if (kind !== 'text/event-stream') return respond(kind, await ask(service.model, vision, context), context);
    const steps = await askStreaming(service.model, vision, context);
    const tell = (error: unknown): string =>
      formatEvent('error', problemBody(context.toProblem(error), context.requestId));
    return {
      status: 200,
      headers: EVENT_STREAM_HEADERS,
      body: withHeartbeats(withFailure(toEvents(steps, context), tell)),
    };
  };
}

async function readVisionRequest(
  { request, deadline, stopwatch, onFinish }: RequestContext,
  service: Service,
  { parseQuestion, plainText }: { readonly parseQuestion: ParseQuestion; readonly plainText: boolean },
): Promise<VisionRequest> {
  const { settings, admission, imageReader } = service;
  const { searchParams } = request.url;
  const query = readQuery(request);
  // If the whole question is in the query, check it before reading the upload.
  const early = hasFieldsInQueryOnly(request) ? parseQuestion([query], searchParams.keys()) : undefined;
  const reservation = admission.enter();
  onFinish(reservation.leave);
  return stopwatch.time('read', async () => {
    const form = await readForm({ request, deadline, reservation }, settings);
    const question = early ?? (await runStep(() => parseQuestion([query, form.fields], searchParams.keys())));
    const images = await loadImages(form.images, service, { deadline, reservation });
    const readImage = imageReader.forRequest({ deadline, reservation });
    try {
      return await toVisionRequest(question, images, readImage, { options: settings, plainText });
    } catch (error) {
      throw explainDamage(error, request);
    }
  });
}

/**
 * Checks the schema and the images of a question.
 * @throws {Problem} about the first that fails a check
 */
export async function toVisionRequest(
  question: Question,
  images: readonly Buffer[],
  readImage: ReadImage,
  rest: Pick<VisionRequest, 'options' | 'plainText'>,
): Promise<VisionRequest> {
  const schema = question.schema === undefined ? undefined : await prepareSchema(question.schema);
  return { question, schema, images: await readImages(images, readImage), ...rest };
}

function respond(kind: AnswerKind, answer: Answer, context: RequestContext): Reply {
  noteFacts(answer, context);
  if (kind === 'text/plain') {
    return {
      status: 200,
      headers: { 'content-type': 'text/plain; charset=utf-8' },
      body: answer.answer || (answer.refusal ?? ''),
    };
  }
  return {
    status: 200,
    headers: { 'content-type': kind },
    body: JSON.stringify({ ...answer, requestId: context.requestId }),
  };
}

async function* toEvents(steps: AsyncIterable<AnswerStep>, context: RequestContext): AsyncGenerator<string> {
  for await (const step of steps) {
    if ('text' in step) {
      yield formatEvent('delta', step);
    } else {
      noteFacts(step.done, context);
      yield formatEvent('done', { ...step.done, requestId: context.requestId });
    }
  }
}

/** Adds the facts of an answer to the log line: images, model, usage, finish reason and upstream request id. */
export function noteFacts(
  { images, model, usage, finishReason, upstreamRequestId }: Answer,
  { facts }: RequestContext,
): void {
  Object.assign(facts, { images, model, usage, finishReason, upstreamRequestId });
}
