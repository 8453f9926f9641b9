import * as v from 'valibot';
import { filteredCategories } from '../azure/content-filter.ts';
import { notACompletion } from '../azure/failures.ts';
import type { ModelResponse } from '../azure/model.ts';
import type { Image, ImageType } from '../image/image.ts';
import { jsonObject } from '../config/json-object.ts';
import { Problem } from '../http/problem.ts';
import type { OutputSchema } from './output-schema.ts';
import { type Usage, usageOf } from './usage.ts';

/** The model's answer, as the JSON kind of answer shows it. */
export interface Answer {
  readonly answer: string;
  /** The answer as an object, where a schema was given; null where the model refused. */
  readonly data?: object | null;
  /** What the model said instead, where it refused. */
  readonly refusal: string | null;
  readonly finishReason: string;
  /** The model's name and version, which may change behind a deployment. */
  readonly model: string;
  readonly usage: Usage;
  readonly images: readonly {
    readonly type: ImageType;
    readonly width: number;
    readonly height: number;
    readonly bytes: number;
  }[];
  readonly upstreamRequestId: string | null;
}

/** What an answer is to. */
export interface Asked {
  readonly images: readonly Image[];
  readonly schema: OutputSchema | undefined;
}

/** Some gateways leave it out. */
const NO_USAGE: Usage = { inputTokens: 0, outputTokens: 0, totalTokens: 0 };

const Completion = jsonObject({
  model: v.string(),
  choices: v.array(
    jsonObject({
      message: jsonObject({ content: v.nullish(v.string()), refusal: v.nullish(v.string()) }),
      finish_reason: v.nullish(v.string()),
    }),
  ),
});

/**
 * Reads the model's response.
 * @throws {Problem} `upstream_error` when it is no completion, `content_filtered` when the filter left nothing of it,
 * `answer_incomplete` when it is not the JSON that was asked for
 */
export function readAnswer({ completion, upstreamRequestId }: ModelResponse, { images, schema }: Asked): Answer {
  if (!v.is(Completion, completion)) throw notACompletion();
  const { model, choices } = completion;
  const [choice] = choices;
  if (!choice) throw notACompletion();

  const { content, refusal } = choice.message;
  const finishReason = choice.finish_reason ?? 'stop';
  if (finishReason === 'content_filter' && !content) {
    throw new Problem(
      'content_filtered',
      'The content filter stopped the whole answer. Ask in another way, or change the filter of the deployment.',
      {
        members: { categories: filteredCategories(choice, 'answer'), upstreamRequestId },
      },
    );
  }
  return {
    answer: content ?? '',
    ...(schema ? { data: refusal ? null : readData(schema, content ?? '', finishReason) } : {}),
    refusal: refusal ?? null,
    finishReason,
    model,
    usage: usageOf(completion) ?? NO_USAGE,
    images: images.map(({ type, width, height, bytes }) => ({ type, width, height, bytes: bytes.length })),
    upstreamRequestId,
  };
}

function readData(schema: OutputSchema, answer: string, finishReason: string): object {
  const data = schema.read(answer);
  if (data) return data;
  const why =
    finishReason === 'length'
      ? 'was cut off: raise maxTokens'
      : 'does not satisfy the schema: ask again, or make the schema simpler';
  throw new Problem('answer_incomplete', `The answer ${why}.`, { members: { finishReason, answer } });
}
