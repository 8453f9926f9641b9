import * as v from 'valibot';
import { endedEarly, notACompletion } from '../azure/failures.ts';
import type { ModelStream } from '../azure/model.ts';
import { jsonObject } from '../config/json-object.ts';
import { type Answer, type Asked, readAnswer } from './answer.ts';

/** A step of a streamed answer: some more words, or the whole. */
export type AnswerStep = { readonly text: string } | { readonly done: Answer };

const Chunk = jsonObject({
  model: v.optional(v.string()),
  choices: v.optional(
    v.array(
      jsonObject({
        delta: v.optional(jsonObject({ content: v.nullish(v.string()), refusal: v.nullish(v.string()) })),
        finish_reason: v.nullish(v.string()),
      }),
    ),
  ),
  usage: v.nullish(v.unknown()),
});

/**
 * Reads a streamed completion: its words as they come, and at its end the same answer that an unstreamed one gives.
 * @throws {Problem} as {@link readAnswer} does, and `upstream_error` where it ends before the model was done
 */
export async function* streamAnswer(
  { chunks, upstreamRequestId }: ModelStream,
  asked: Asked,
): AsyncGenerator<AnswerStep> {
  const whole = { model: '', content: '', refusal: '', usage: undefined as unknown };
  let last: Record<string, unknown> | undefined;
  for await (const chunk of chunks) {
    if (!v.is(Chunk, chunk)) throw notACompletion();
    const [choice] = chunk.choices ?? [];
    whole.model = chunk.model || whole.model;
    whole.usage = chunk.usage ?? whole.usage;
    whole.refusal += choice?.delta?.refusal ?? '';
    const text = choice?.delta?.content ?? '';
    whole.content += text;
    if (choice?.finish_reason) last = choice;
    if (text) yield { text };
  }
  if (!last) throw endedEarly();
  const { model, usage, content, refusal } = whole;
  const completion = { model, usage, choices: [{ ...last, message: { content, refusal: refusal || null } }] };
  yield { done: readAnswer({ completion, upstreamRequestId }, asked) };
}
