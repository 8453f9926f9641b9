import { randomUUID } from 'node:crypto';
import type { ChatCompletionContentPart, ChatCompletionCreateParams } from 'openai/resources/chat/completions';
import type { Caller, Model, ModelRequest } from '../azure/model.ts';
import type { Settings } from '../config/settings.ts';
import { type Answer, type Asked, readAnswer } from './answer.ts';
import type { Question } from './question.ts';
import { type AnswerStep, streamAnswer } from './stream-answer.ts';

/** How this deployment of the service puts its questions. */
export type AskOptions = Pick<Settings, 'systemPrompt' | 'reasoningEffort'>;

/** A question about images, in their order, ready to be asked. */
export interface Asking extends Asked {
  readonly question: Question;
  readonly options: AskOptions;
}

/**
 * Asks the model.
 * @throws {Problem} whatever came between the question and a usable answer
 */
export async function ask(model: Model, asking: Asking, caller: Caller): Promise<Answer> {
  return readAnswer(await model.complete(toRequest(asking), caller), asking);
}

/**
 * Asks the model for its answer as it comes. Resolves when the answer has begun.
 * @throws {Problem} so does reading the steps
 */
export async function askStreaming(model: Model, asking: Asking, caller: Caller): Promise<AsyncIterable<AnswerStep>> {
  const { params, images } = toRequest(asking);
  // Without this option a stream tells no token usage: https://platform.openai.com/docs/api-reference/chat-streaming
  const stream = await model.stream(
    { params: { ...params, stream: true, stream_options: { include_usage: true } }, images },
    caller,
  );
  return streamAnswer(stream, asking);
}

function toRequest({ question, images, schema, options }: Asking): ModelRequest {
  const placed = images.map((image) => ({ image, placeholder: randomUUID() }));
  const parts: ChatCompletionContentPart[] = placed.map(({ image, placeholder }) => ({
    type: 'image_url',
    image_url: { url: `data:${image.type};base64,${placeholder}`, detail: question.detail },
  }));
  const params: Omit<ChatCompletionCreateParams, 'model'> = {
    messages: [
      { role: 'system', content: options.systemPrompt },
      { role: 'user', content: [{ type: 'text', text: question.instructions }, ...parts] },
    ],
    max_completion_tokens: question.maxTokens,
    ...(options.reasoningEffort ? { reasoning_effort: options.reasoningEffort } : {}),
    ...(schema ? { response_format: schema.responseFormat } : {}),
  };
  return { params, images: new Map(placed.map(({ image, placeholder }) => [placeholder, image.bytes])) };
}
