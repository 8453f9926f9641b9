import { APIError } from 'openai';
import { Stream } from 'openai/streaming';
import { isRecord, parseJson } from '../config/json-object.ts';

/**
 * Reads the body of a 200 to a request without streaming. The SDK has parsed it if its Content-Type is JSON, and passes
 * it on as text otherwise. Some gateways send JSON with another Content-Type, or stream without being asked to.
 * @param fromEvents - makes a whole answer from the events of a stream
 * @returns the answer, or undefined if the body is neither JSON nor a stream
 * @throws {APIError} if the body contains an error in place of an answer
 */
export async function wholeAnswer(
  data: unknown,
  { headers }: Response,
  fromEvents: (events: readonly unknown[]) => unknown,
): Promise<unknown> {
  if (typeof data !== 'string') return withoutError(data, headers);
  if (!/^(?:\s*(?:data|event|id|retry)?:)/.test(data)) return withoutError(parseJson(data), headers);
  const chunks = Stream.fromSSEResponse<unknown>(new Response(data, { headers }), new AbortController());
  return fromEvents(await Array.fromAsync(chunks, (chunk) => withoutError(chunk, headers)));
}

/** Whether a response is JSON. Some gateways answer a request for a stream with JSON. */
export function isJson({ headers }: Response): boolean {
  return /^application\/(?:[\w.-]+\+)?json\b/i.test(headers.get('content-type') ?? '');
}

/** Turns a whole completion into a single chunk of a stream. Returns undefined if it is not a completion. */
export function asChunk(completion: unknown): object | undefined {
  const given = isRecord(completion) ? completion['choices'] : undefined;
  if (!isRecord(completion) || !Array.isArray(given) || given.length === 0) return undefined;
  const choices = given.map((choice: unknown) => {
    if (!isRecord(choice)) return choice;
    const { message, ...rest } = choice;
    return Object.assign(rest, { delta: message });
  });
  return { ...completion, object: 'chat.completion.chunk', choices };
}

/**
 * Returns a chunk or completion unchanged if neither it nor one of its choices contains an error.
 * @throws {APIError} with that error and without a status, as the SDK does for error events of a stream
 */
export function withoutError(answer: unknown, headers: Headers | undefined): unknown {
  if (!isRecord(answer)) return answer;
  const { choices } = answer;
  for (const holder of [answer, ...(Array.isArray(choices) ? choices : [])] as unknown[]) {
    // An error event of the Responses API may have its code and message at the top level.
    const error = isRecord(holder) ? (holder['error'] ?? (holder['type'] === 'error' ? holder : undefined)) : undefined;
    if (error) throw new APIError(undefined, isRecord(error) ? error : { message: error }, undefined, headers);
  }
  return answer;
}

/** Joins the chunks of a stream into one completion. Returns undefined if no chunk has a choice. */
export function merged(chunks: readonly unknown[]): unknown {
  const records = chunks.filter(isRecord);
  const choices = new Map<unknown, Record<string, unknown>>();
  for (const chunk of records) {
    const { choices: some } = chunk;
    for (const choice of (Array.isArray(some) ? some : []).filter(isRecord)) {
      const { delta, ...rest } = choice;
      const so = choices.get(choice['index']) ?? {};
      const message = isRecord(so['message']) ? so['message'] : {};
      choices.set(choice['index'], {
        ...so,
        ...present(rest),
        message: appended(message, isRecord(delta) ? delta : {}),
      });
    }
  }
  if (choices.size === 0) return undefined;
  return { ...Object.assign({}, ...records.map(present)), object: 'chat.completion', choices: [...choices.values()] };
}

/** Leaves out members that are null or empty: a stream sets most members in one chunk only. */
function present(members: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== null && value !== ''));
}

/** Appends text to text, joins lists by the `index` of their members, and replaces everything else. */
function appended(so: Record<string, unknown>, delta: Record<string, unknown>): Record<string, unknown> {
  const result = { ...so };
  for (const [name, value] of Object.entries(delta)) {
    const before = result[name];
    if (typeof value === 'string' && typeof before === 'string') {
      // Roles, ids and types are repeated whole, so they must not be appended.
      result[name] = name === 'role' || name === 'id' || name === 'type' ? value || before : before + value;
    } else if (Array.isArray(value)) {
      result[name] = joined(Array.isArray(before) ? before : [], value);
    } else if (isRecord(value) && isRecord(before)) {
      result[name] = appended(before, value);
    } else if (value !== null || before === undefined) {
      result[name] = value;
    }
  }
  return result;
}

function joined(before: readonly unknown[], more: readonly unknown[]): unknown[] {
  const result = [...before];
  for (const each of more) {
    const index = isRecord(each) ? each['index'] : undefined;
    const at = result.findIndex((old) => index !== undefined && isRecord(old) && old['index'] === index);
    const old = result[at];
    if (isRecord(old) && isRecord(each)) result[at] = appended(old, each);
    else result.push(each);
  }
  return result;
}
