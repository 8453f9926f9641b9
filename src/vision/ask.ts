import type { Caller, Model } from '../azure/model.ts';
import { type Answer, type AnswerStep, readAnswer, streamAnswer } from './answer.ts';
import { toModelRequest, type VisionRequest } from './vision-request.ts';

/**
 * Asks the model and waits for the whole answer.
 * @throws {Problem} where there is no usable answer
 */
export async function ask(model: Model, request: VisionRequest, caller: Caller): Promise<Answer> {
  return readAnswer(await model.complete(toModelRequest(request), caller), request);
}

/**
 * Asks the model for a stream. Resolves when the answer has begun.
 * @throws {Problem} where it does not begin; reading the steps throws one where it does not end well
 */
export async function askStreaming(
  model: Model,
  request: VisionRequest,
  caller: Caller,
): Promise<AsyncIterable<AnswerStep>> {
  const { params, ...rest } = toModelRequest(request);
  // A stream tells its token usage only if asked: https://platform.openai.com/docs/api-reference/chat-streaming
  const stream = await model.stream(
    { ...rest, params: { ...params, stream: true, stream_options: { include_usage: true } } },
    caller,
  );
  return streamAnswer(stream, request);
}
