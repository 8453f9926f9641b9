import { randomUUID } from 'node:crypto';
import type { ModelRequest } from '../azure/model.ts';
import { isRecord } from '../config/json-object.ts';
import type { Limits } from '../config/limits.ts';
import { invalidBody, invalidRequest } from '../http/invalid-request.ts';
import type { LargeJson } from './large-json.ts';
import { checkImage } from '../image/check.ts';
import { decodeImage } from './data-url.ts';
import { tooManyImages } from '../image/faults.ts';
import type { Image } from '../image/image.ts';
import { withImageIndex } from '../image/image-index.ts';

/** A Chat Completions request that passed the checks. */
export interface Chat {
  readonly request: ModelRequest;
  readonly images: readonly Image[];
  /** Whether the caller asked for a stream. */
  readonly stream: boolean;
}

/** Some clients send the URL alone, as the Responses API has it. */
const MUST_BE_OBJECT = 'must be an object with the data URL in it: {"url": "data:image/png;base64,…"}';

interface ImagePart {
  /** The path to it, as a program would write it. */
  readonly field: string;
  readonly url: string;
  /** The object that holds the URL, in the parsed document. */
  readonly holder: Record<string, unknown>;
}

/**
 * Reads a request in OpenAI's Chat Completions format. Its images are checked; all else is the model's business and
 * goes through as it came.
 * @throws {Problem} about the document or its images
 */
export async function readChat(
  json: LargeJson,
  { maxImages, maxImageBytes }: Pick<Limits, 'maxImages' | 'maxImageBytes'>,
): Promise<Chat> {
  const { value } = json;
  if (!isRecord(value)) throw invalidBody('must be a JSON object');
  if (!Array.isArray(value['messages'])) throw invalidRequest([{ field: 'messages', message: 'must be an array' }]);

  const parts = imageParts(value['messages']);
  if (parts.length > maxImages) throw tooManyImages(maxImages);
  const placed = new Map<string, Buffer>();
  const images: Image[] = [];
  for (const [at, { field, url, holder }] of parts.entries()) {
    const text = { text: json.take(url), field, mayBeBare: false };
    const image = await withImageIndex(at, parts.length, async () =>
      checkImage(await decodeImage(text, maxImageBytes)),
    );
    const placeholder = randomUUID();
    placed.set(placeholder, image.bytes);
    images.push(image);
    holder['url'] = `data:${image.type};base64,${placeholder}`;
  }
  const params = await json.restore(value);
  return {
    request: { params: isRecord(params) ? withCurrentNames(params) : {}, images: placed, isCallersOwn: true },
    images,
    stream: value['stream'] === true,
  };
}

/**
 * Many clients still send `max_tokens`, which models that reason refuse; the newer name means the same and works with all:
 * https://platform.openai.com/docs/api-reference/chat/create#chat-create-max_completion_tokens
 */
function withCurrentNames(params: Record<string, unknown>): Record<string, unknown> {
  const { max_tokens: maxTokens, ...others } = params;
  const isOldNameOnly = typeof maxTokens === 'number' && (others['max_completion_tokens'] ?? undefined) === undefined;
  return isOldNameOnly ? { ...others, max_completion_tokens: maxTokens } : params;
}

function imageParts(messages: readonly unknown[]): ImagePart[] {
  return messages.flatMap((message, m) => {
    const content: unknown = isRecord(message) ? message['content'] : undefined;
    if (!Array.isArray(content)) return [];
    return content.flatMap((part: unknown, p): ImagePart[] => {
      if (!isRecord(part) || part['type'] !== 'image_url') return [];
      const holderField = `messages[${m}].content[${p}].image_url`;
      const field = `${holderField}.url`;
      const holder = part['image_url'];
      if (!isRecord(holder)) throw invalidRequest([{ field: holderField, message: MUST_BE_OBJECT }]);
      const { url } = holder;
      if (typeof url !== 'string')
        throw invalidRequest([{ field, message: 'must be a data URL: data:image/png;base64,…' }]);
      return [{ field, url, holder }];
    });
  });
}
