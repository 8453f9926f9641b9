import { APIError } from 'openai';
import { Stream } from 'openai/streaming';
import { isRecord, parseJson } from '../config/json-object.ts';

/**
 * Reads the body of a 200 to a request for a whole answer, as the SDK hands it on: parsed if its type was JSON, otherwise as
 * text. Some gateways answer with JSON under another type, or with a stream that nobody asked for.
 * @returns undefined if it is neither
 * @throws {APIError} if it holds an error in place of an answer
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

/** Whether a response is one JSON document, which some gateways answer with to a request for a stream. */
export function isJson({ headers }: Response): boolean {
  return /^application\/(?:[\w.-]+\+)?json\b/i.test(headers.get('content-type') ?? '');
}

/** A completion as the one chunk of a stream; undefined if it is none. */
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
 * The same chunk or completion, unless it carries an error, of its own or of one of its choices.
 * @throws {APIError} with that error and no status, as the SDK throws an error event of a stream
 */
export function withoutError(answer: unknown, headers: Headers | undefined): unknown {
  if (!isRecord(answer)) return answer;
  const { choices } = answer;
  for (const holder of [answer, ...(Array.isArray(choices) ? choices : [])] as unknown[]) {
    // An event of the Responses API that is an error may say so beside its type.
    const error = isRecord(holder) ? (holder['error'] ?? (holder['type'] === 'error' ? holder : undefined)) : undefined;
    if (error) throw new APIError(undefined, isRecord(error) ? error : { message: error }, undefined, headers);
  }
  return answer;
}

/** Puts the chunks of a stream together again; undefined if there are none. */
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

/** The members that say something: a stream says most of them once, and elsewhere null or nothing. */
function present(members: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== null && value !== ''));
}

/** Text is put behind the text so far, lists are joined by the index of their members, all else is replaced. */
function appended(so: Record<string, unknown>, delta: Record<string, unknown>): Record<string, unknown> {
  const result = { ...so };
  for (const [name, value] of Object.entries(delta)) {
    const before = result[name];
    if (typeof value === 'string' && typeof before === 'string') {
      // Roles, ids and types are said again rather than continued.
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
