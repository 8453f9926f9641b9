/** A request of the collection, without the overhead of Postman's own format. */
export interface PostmanRequest {
  readonly name: string;
  /** What it shows, for a person who reads it in Postman. */
  readonly about: string;
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Below `/api/`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: object;
  /** JavaScript that Postman runs after the answer. */
  readonly tests: string;
}

/**
 * Converts a request to Postman's format.
 * @see https://schema.postman.com/collection/json/v2.1.0/draft-07/docs/index.html
 */
export function toItem({ name, about, method, path, query = {}, headers = {}, body, tests }: PostmanRequest): object {
  const pairs = Object.entries(query).map(([key, value]) => ({ key, value: encode(value) }));
  const search = pairs.map(({ key, value }) => `${key}=${value}`).join('&');
  return {
    name,
    event: [{ listen: 'test', script: toScript(tests) }],
    request: {
      description: about,
      method,
      header: Object.entries(headers).map(([key, value]) => ({ key, value })),
      url: {
        raw: `{{baseUrl}}/api/${path}${search && `?${search}`}`,
        host: ['{{baseUrl}}'],
        path: ['api', ...path.split('/')],
        query: pairs,
      },
      ...(body ? { body } : {}),
    },
    response: [],
  };
}

/** Percent-encodes a value, but leaves Postman's `{{variables}}`. */
function encode(value: string): string {
  return value.replaceAll(/(\{\{\w+\}\})|[^]/gu, (part, variable) => variable ?? encodeURIComponent(part));
}

export function toScript(code: string): object {
  return { type: 'text/javascript', exec: code.trim().split('\n') };
}

/** Makes a body of one file. Its path is relative to Postman's working directory, which is this repository. */
export function fileBody(src: string): object {
  return { mode: 'file', file: { src } };
}

/** Makes a form with texts, and with files named `image`. */
export function formBody(texts: Readonly<Record<string, string>>, images: readonly string[]): object {
  const fields = Object.entries(texts).map(([key, value]) => ({ key, value, type: 'text' }));
  return { mode: 'formdata', formdata: [...fields, ...images.map((src) => ({ key: 'image', type: 'file', src }))] };
}

export function jsonBody(value: object): object {
  return { mode: 'raw', raw: JSON.stringify(value, null, 2), options: { raw: { language: 'json' } } };
}

export function textBody(raw: string): object {
  return { mode: 'raw', raw, options: { raw: { language: 'text' } } };
}
