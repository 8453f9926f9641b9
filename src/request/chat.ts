import type { ModelRequest } from '../azure/model.ts';
import { isRecord } from '../config/json-object.ts';
import { invalidBody, invalidRequest } from '../http/problem.ts';
import { type Attachment, type AttachmentLimits, placeAttachments } from './attachments.ts';
import type { ReadImage } from '../image/image-reader.ts';
import type { LargeJson } from './large-json.ts';
import type { Image } from '../image/image.ts';

/** A checked request to one of OpenAI's APIs. */
export interface OpenAiRequest {
  readonly request: ModelRequest;
  readonly images: readonly Image[];
  /** Whether the caller asked for a stream. */
  readonly stream: boolean;
}

/** Some clients send only the URL, which is the format of the Responses API. */
const MUST_BE_OBJECT = 'must be an object with the data URL in it: {"url": "data:image/png;base64,…"}';

/**
 * Reads a request in OpenAI's Chat Completions format. It checks the images. Other parameters go to the model
 * unchanged, apart from `max_tokens` and `store`.
 * @throws {Problem} about the document or its images
 */
export async function readChat(
  json: LargeJson,
  limits: AttachmentLimits,
  readImage: ReadImage,
): Promise<OpenAiRequest> {
  const { value } = json;
  if (!isRecord(value)) throw invalidBody('must be a JSON object');
  if (!Array.isArray(value['messages'])) throw invalidRequest([{ field: 'messages', message: 'must be an array' }]);

  const { images, bytes } = await placeAttachments(json, imageParts(value['messages']), limits, readImage);
  const params = await json.restore(value);
  return {
    request: {
      api: 'chat',
      params: isRecord(params) ? toModelParams(params) : {},
      images: bytes,
      isCallersOwn: true,
    },
    images,
    stream: value['stream'] === true,
  };
}

/**
 * Renames `max_tokens`, which many clients still send and reasoning models refuse. The new name means the same, and
 * every model takes it: https://platform.openai.com/docs/api-reference/chat/create#chat-create-max_completion_tokens
 * Removes `store`, so that the service stores no completion.
 */
function toModelParams({ store: _never, ...params }: Record<string, unknown>): Record<string, unknown> {
  const { max_tokens: maxTokens, ...others } = params;
  const isOldNameOnly = typeof maxTokens === 'number' && (others['max_completion_tokens'] ?? undefined) === undefined;
  return isOldNameOnly ? { ...others, max_completion_tokens: maxTokens } : params;
}

function imageParts(messages: readonly unknown[]): Attachment[] {
  return messages.flatMap((message, m) => {
    const content: unknown = isRecord(message) ? message['content'] : undefined;
    if (!Array.isArray(content)) return [];
    return content.flatMap((part: unknown, p): Attachment[] => {
      if (!isRecord(part) || part['type'] !== 'image_url') return [];
      const holderField = `messages[${m}].content[${p}].image_url`;
      const field = `${holderField}.url`;
      const holder = part['image_url'];
      if (!isRecord(holder)) throw invalidRequest([{ field: holderField, message: MUST_BE_OBJECT }]);
      const { url } = holder;
      if (typeof url !== 'string')
        throw invalidRequest([{ field, message: 'must be a data URL: data:image/png;base64,…' }]);
      return [{ kind: 'image', field, url, replace: (placed) => (holder['url'] = placed) }];
    });
  });
}
