import { randomUUID } from 'node:crypto';
import type { ChatCompletionContentPart } from 'openai/resources/chat/completions';
import type { Caller, Model, ModelRequest } from '../azure/model.ts';
import type { Image } from '../image/image.ts';
import type { Settings } from '../settings.ts';
import { type Answer, readAnswer } from './answer.ts';
import type { Question } from './question.ts';

/** How this deployment of the service puts its questions. */
export type AskOptions = Pick<Settings, 'systemPrompt' | 'reasoningEffort'>;

/**
 * Asks the model about images, in their order.
 * @throws {Problem} whatever came between the question and a usable answer
 */
export async function ask(model: Model, question: Question, images: readonly Image[], caller: Caller, options: AskOptions): Promise<Answer> {
  return readAnswer(await model.complete(toRequest(question, images, options), caller), images);
}

function toRequest(question: Question, images: readonly Image[], { systemPrompt, reasoningEffort }: AskOptions): ModelRequest {
  const placed = images.map((image) => ({ image, placeholder: randomUUID() }));
  const parts: ChatCompletionContentPart[] = placed.map(({ image, placeholder }) => ({
    type: 'image_url',
    image_url: { url: `data:${image.type};base64,${placeholder}`, detail: question.detail },
  }));
  return {
    params: {
      messages: [
        { role: 'system', content: systemPrompt },
        { role: 'user', content: [{ type: 'text', text: question.instructions }, ...parts] },
      ],
      max_completion_tokens: question.maxTokens,
      ...(reasoningEffort ? { reasoning_effort: reasoningEffort } : {}),
    },
    images: new Map(placed.map(({ image, placeholder }) => [placeholder, image.bytes])),
  };
}
