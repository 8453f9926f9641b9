import { randomUUID } from 'node:crypto';
import type { ChatCompletionContentPart, ChatCompletionCreateParams } from 'openai/resources/chat/completions';
import type { ModelRequest } from '../azure/model.ts';
import type { Settings } from '../config/settings.ts';
import type { Image } from '../image/image.ts';
import { stripMetadata } from '../image/strip-metadata.ts';
import type { OutputSchema } from './output-schema.ts';
import type { Question } from './question.ts';

/** A question about images, checked and ready to send. */
export interface VisionRequest {
  readonly question: Question;
  /** The images in the order in which the caller sent them. */
  readonly images: readonly Image[];
  readonly schema: OutputSchema | undefined;
  readonly options: Pick<Settings, 'systemPrompt' | 'reasoningEffort'>;
  /** Whether the caller receives only text. Then nothing in the answer can say that the content filter cut it off. */
  readonly plainText: boolean;
}

/** Converts a question to a Chat Completions request with a placeholder for each image. */
export function toModelRequest({ question, images, schema, options }: VisionRequest): ModelRequest {
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
  return {
    api: 'chat',
    params,
    isCallersOwn: false,
    images: new Map(placed.map(({ image, placeholder }) => [placeholder, stripMetadata(image)])),
  };
}
