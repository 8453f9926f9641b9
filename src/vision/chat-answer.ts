import * as v from 'valibot';
import { endedEarly, notACompletion } from '../azure/failures.ts';
import { jsonObject } from '../config/json-object.ts';
import { Completion } from './completion.ts';

const Answered = jsonObject({ choices: v.pipe(v.array(v.unknown()), v.minLength(1)) });

/**
 * A completion as it came. What it says is between the caller and the model.
 * @throws {Problem} `upstream_error` if it is none
 */
export function chatCompletion(completion: unknown): object {
  if (!v.is(Answered, completion)) throw notACompletion();
  return completion;
}

/**
 * The chunks of a completion as they come. Where a gateway sends null for `choices` or a `delta`, or leaves them out,
 * they become empty: clients read both without looking.
 * @throws {Problem} `upstream_error` if a chunk is none, or if the stream ends before the model was done
 */
export async function* chatChunks(chunks: AsyncIterable<unknown>): AsyncGenerator<object> {
  let isDone = false;
  for await (const chunk of chunks) {
    if (!v.is(Completion, chunk)) throw notACompletion();
    const choices = (chunk.choices ?? []).filter((choice) => choice instanceof Object);
    isDone ||= choices.some((choice) => choice.finish_reason);
    yield { ...chunk, choices: choices.map((choice) => Object.assign(choice, { delta: choice.delta ?? {} })) };
  }
  if (!isDone) throw endedEarly();
}
