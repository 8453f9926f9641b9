import * as v from 'valibot';
import { endedEarly, notACompletion } from '../azure/failures.ts';
import { jsonObject } from '../config/json-object.ts';
import { Completion } from './completion.ts';

const Answered = jsonObject({ choices: v.pipe(v.array(v.unknown()), v.minLength(1)) });

/**
 * Checks that the model answered with a chat completion, and returns it unchanged.
 * @throws {Problem} `upstream_error` if it is not a completion with choices
 */
export function chatCompletion(completion: unknown): object {
  if (!v.is(Answered, completion)) throw notACompletion();
  return completion;
}

/**
 * Checks the chunks of a streamed completion as they arrive. Some gateways send null for `choices` or `delta`, or leave
 * them out. They become empty here, because clients read both without a check.
 * @throws {Problem} `upstream_error` if a chunk is not valid, or if the stream ends without a finish reason
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
