import * as v from 'valibot';
import type { Caller, Model } from '../azure/model.ts';
import { type Answer, type AnswerStep, readAnswer, streamAnswer } from './answer.ts';
import { toModelRequest, type VisionRequest } from './vision-request.ts';

const Tiered = v.object({ service_tier: v.string() });

/**
 * Asks the model and waits for the whole answer.
 * @throws {Problem} if there is no usable answer
 */
export async function ask(model: Model, request: VisionRequest, caller: Caller): Promise<Answer> {
  return readAnswer(await model.complete(toModelRequest(request), caller), request);
}

/**
 * Asks the model for a job, at a service tier, which decides the price.
 * @param serviceTier - sent as `service_tier`, unless undefined
 * @returns the answer and the tier that the service says it used, or else the one it was asked for
 * @throws {Problem} if there is no usable answer
 */
export async function askAtTier(
  model: Model,
  request: VisionRequest,
  serviceTier: 'flex' | 'default' | undefined,
  caller: Caller,
): Promise<{ answer: Answer; tier: 'flex' | 'standard' }> {
  const { params, ...rest } = toModelRequest(request);
  const tiered = { ...rest, params: { ...params, ...(serviceTier ? { service_tier: serviceTier } : {}) } };
  const response = await model.complete(tiered, caller);
  const answer = await readAnswer(response, request);
  const given = v.is(Tiered, response.completion) ? response.completion.service_tier : serviceTier;
  return { answer, tier: given === 'flex' ? 'flex' : 'standard' };
}

/**
 * Asks the model for a stream. Resolves when the answer has begun.
 * @throws {Problem} if the answer does not begin. Reading the steps throws a problem if the answer fails later
 */
export async function askStreaming(
  model: Model,
  request: VisionRequest,
  caller: Caller,
): Promise<AsyncIterable<AnswerStep>> {
  const { params, ...rest } = toModelRequest(request);
  // A stream has token usage only if the request asks for it:
  // https://platform.openai.com/docs/api-reference/chat-streaming
  const stream = await model.stream(
    { ...rest, params: { ...params, stream: true, stream_options: { include_usage: true } } },
    caller,
  );
  return streamAnswer(stream, request);
}
