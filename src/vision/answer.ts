import * as v from 'valibot';
import { filteredCategories } from '../azure/content-filter.ts';
import { endedEarly, notACompletion } from '../azure/failures.ts';
import type { ModelResponse, ModelStream } from '../azure/model.ts';
import { Problem } from '../http/problem.ts';
import { describeSent, type SentImage } from '../image/strip-metadata.ts';
import { type Choice, Completion, NO_USAGE, textOf, type Usage, usageOf } from './completion.ts';
import type { OutputSchema } from './output-schema.ts';
import type { VisionRequest } from './vision-request.ts';

/** The model's answer, with the fields of the `application/json` response. */
export interface Answer {
  readonly answer: string;
  /** The answer as an object if the caller sent a schema; null if the model refused. */
  readonly data?: object | null;
  /** What the model said instead of an answer. */
  readonly refusal: string | null;
  readonly finishReason: string;
  /** The model's name and version, which may change behind a deployment. Empty if the service does not send it. */
  readonly model: string;
  readonly usage: Usage;
  readonly images: readonly SentImage[];
  readonly upstreamRequestId: string | null;
}

/** A step of a streamed answer: more text, or at the end the whole answer. */
export type AnswerStep = { readonly text: string } | { readonly done: Answer };

/** What the model said. It is the same for a whole answer and for a streamed one. */
interface ModelOutput {
  readonly content: string;
  readonly refusal: string | null;
  /** The choice with the finish reason. */
  readonly choice: Choice;
  readonly model: string;
  readonly usage: Usage;
  readonly upstreamRequestId: string | null;
}

/**
 * Reads the answer in the model's response.
 * @throws {Problem} `upstream_error` if the response is not a completion, `content_filtered` if the content filter left
 * nothing to show, `answer_incomplete` if the answer is empty or does not satisfy the caller's schema
 */
export async function readAnswer(
  { completion, upstreamRequestId }: ModelResponse,
  request: VisionRequest,
): Promise<Answer> {
  if (!v.is(Completion, completion)) throw notACompletion();
  const [choice] = completion.choices ?? [];
  if (!choice) throw notACompletion();
  return toAnswer(
    {
      content: textOf(choice.message),
      refusal: choice.message?.refusal ?? null,
      choice,
      model: completion.model ?? '',
      usage: usageOf(completion) ?? NO_USAGE,
      upstreamRequestId,
    },
    request,
  );
}

/**
 * Reads a streamed answer. Yields the text as it arrives, and at the end the answer that {@link readAnswer} would
 * return.
 * @throws {Problem} like {@link readAnswer}; also `upstream_error` if the stream ends without a finish reason
 */
export async function* streamAnswer(
  { chunks, upstreamRequestId }: ModelStream,
  request: VisionRequest,
): AsyncGenerator<AnswerStep> {
  let [content, refusal, model] = ['', '', ''];
  let usage: Usage | undefined;
  let last: Choice | undefined;
  for await (const chunk of chunks) {
    if (!v.is(Completion, chunk)) throw notACompletion();
    const choice = chunk.choices?.[0];
    model = chunk.model || model;
    usage = usageOf(chunk) ?? usage;
    refusal += choice?.delta?.refusal ?? '';
    const text = textOf(choice?.delta);
    content += text;
    if (choice?.finish_reason) last = choice;
    if (text) yield { text };
  }
  if (!last) throw endedEarly();
  const output = {
    content,
    refusal: refusal || null,
    choice: last,
    model,
    usage: usage ?? NO_USAGE,
    upstreamRequestId,
  };
  yield { done: await toAnswer(output, request) };
}

async function toAnswer(output: ModelOutput, { images, schema, plainText }: VisionRequest): Promise<Answer> {
  const { content, refusal, choice, model, usage, upstreamRequestId } = output;
  const finishReason = choice.finish_reason ?? 'stop';
  if (finishReason === 'content_filter' && (!content || plainText)) throw filtered(output);
  if (!content && !refusal) throw emptyAnswer(finishReason, usage);
  return {
    answer: content,
    ...(schema ? { data: refusal ? null : await readData(schema, output, finishReason) } : {}),
    refusal,
    finishReason,
    model,
    usage,
    images: images.map(describeSent),
    upstreamRequestId,
  };
}

function filtered({ content, choice, usage, upstreamRequestId }: ModelOutput): Problem {
  const detail = content
    ? 'The content filter cut the answer off. Ask in another way, or accept application/json to get what came before.'
    : 'The content filter stopped the whole answer. Ask in another way, or change the filter of the deployment.';
  const categories = filteredCategories(choice, 'answer');
  return new Problem('content_filtered', detail, { members: { categories, usage, upstreamRequestId } });
}

/** Makes the problem for an answer without any text. */
function emptyAnswer(finishReason: string, usage: Usage): Problem {
  const why =
    {
      length: 'The model used up its tokens, probably on reasoning, before it said anything: raise maxTokens.',
      tool_calls: 'The model called a tool instead of answering, but this route has no tools: ask again.',
    }[finishReason] ?? `The model ended (${finishReason}) without a word: ask again, or ask in other words.`;
  return new Problem('answer_incomplete', why, { members: { finishReason, answer: '', usage } });
}

async function readData(
  schema: OutputSchema,
  { content: answer, usage }: ModelOutput,
  finishReason: string,
): Promise<object> {
  const reading = await schema.read(answer);
  if ('data' in reading) return reading.data;
  const why = finishReason === 'length' ? 'was cut off: raise maxTokens' : reading.fault;
  throw new Problem('answer_incomplete', `The answer ${why}.`, { members: { finishReason, answer, usage } });
}
