import { conforms } from './conforms.ts';
import { keepAnswer, keepSecret } from './secrets.ts';

/** A response with its body, already checked against openapi.json. */
export interface Asked {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Parses the body as JSON. @throws {SyntaxError} if it is not JSON */
  json(): Record<string, unknown>;
}

/** Posts an image as raw bytes. By default, the Content-Type is image/png, whatever the image is. */
export async function ask(
  url: string,
  image: Uint8Array,
  init: { query?: Record<string, string>; headers?: Record<string, string> } = {},
): Promise<Asked> {
  const query = new URLSearchParams(init.query ?? { instructions: 'What is this?' });
  keepSecret('words', query.get('instructions') ?? '');
  return post(url, new Uint8Array(image), { 'content-type': 'image/png', ...init.headers }, `?${query.toString()}`);
}

/** Posts any body to processImage. */
export async function post(
  url: string,
  body: string | FormData | Uint8Array<ArrayBuffer>,
  headers: Record<string, string>,
  query = '',
): Promise<Asked> {
  if (body instanceof Uint8Array) keepSecret('image', body);
  if (typeof body === 'string') keepSecret('words', body);
  const answer = await read(await checkedFetch(`${url}/api/processImage${query}`, { method: 'POST', body, headers }));
  if (answer.status === 200) keepAnswer(answer.headers.get('content-type') ?? '', answer.text);
  return answer;
}

/** Sends a GET request to a path below `/api/`. */
export async function get(url: string, path: string): Promise<Asked> {
  return read(await checkedFetch(`${url}/api/${path}`));
}

/**
 * Calls `fetch`, reads the whole body, and checks the response against openapi.json. Some clients accept it as their
 * `fetch`.
 * @throws {Error} if openapi.json does not describe the response
 */
export async function checkedFetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
  const { url, method } =
    input instanceof Request ? input : { url: String(input), method: init?.method?.toUpperCase() ?? 'GET' };
  const response = await fetch(input, init);
  const { status, headers } = response;
  const text = await response.text();
  conforms({ method, url, status, headers, text });
  return new Response(text, { status, headers });
}

async function read(response: Response): Promise<Asked> {
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    text,
    json: () => JSON.parse(text) as Record<string, unknown>,
  };
}
