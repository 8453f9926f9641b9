import * as z from 'zod/mini';
import { endedEarly, notACompletion } from '../azure/failures.ts';

const Completion = z.looseObject({ choices: z.array(z.unknown()).check(z.minLength(1)) });
const Chunk = z.looseObject({ choices: z.array(z.looseObject({ finish_reason: z.nullish(z.string()) })) });

/**
 * A completion as it came; what stands in it is between the caller and the model.
 * @throws {Problem} `upstream_error` when it is none
 */
export function chatCompletion(completion: unknown): object {
  const { data } = Completion.safeParse(completion);
  if (!data) throw notACompletion();
  return data;
}

/**
 * The chunks of a completion as they come.
 * @throws {Problem} `upstream_error` when one is none, or when they end before the model was done
 */
export async function* chatChunks(chunks: AsyncIterable<unknown>): AsyncGenerator<object> {
  let isDone = false;
  for await (const each of chunks) {
    const { data } = Chunk.safeParse(each);
    if (!data) throw notACompletion();
    isDone ||= data.choices.some((choice) => choice.finish_reason);
    yield data;
  }
  if (!isDone) throw endedEarly();
}
