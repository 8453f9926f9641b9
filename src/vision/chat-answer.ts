import * as v from 'valibot';
import { endedEarly, notACompletion } from '../azure/failures.ts';
import { jsonObject } from '../config/json-object.ts';

const Completion = jsonObject({ choices: v.pipe(v.array(v.unknown()), v.minLength(1)) });
const Chunk = jsonObject({ choices: v.array(jsonObject({ finish_reason: v.nullish(v.string()) })) });

/**
 * A completion as it came; what stands in it is between the caller and the model.
 * @throws {Problem} `upstream_error` when it is none
 */
export function chatCompletion(completion: unknown): object {
  if (!v.is(Completion, completion)) throw notACompletion();
  return completion;
}

/**
 * The chunks of a completion as they come.
 * @throws {Problem} `upstream_error` when one is none, or when they end before the model was done
 */
export async function* chatChunks(chunks: AsyncIterable<unknown>): AsyncGenerator<object> {
  let isDone = false;
  for await (const chunk of chunks) {
    if (!v.is(Chunk, chunk)) throw notACompletion();
    isDone ||= chunk.choices.some((choice) => choice.finish_reason);
    yield chunk;
  }
  if (!isDone) throw endedEarly();
}
