import { conforms } from './conforms.ts';
import { keepAnswer, keepSecret } from './secrets.ts';

/** What came back, with the body read; what is not as openapi.json says has thrown. */
export interface Asked {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON; fails where it is none. */
  json(): Record<string, unknown>;
}

/** Posts an image as raw bytes, under a Content-Type that is a lie for most of them. */
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
  const asked = await read(await checkedFetch(`${url}/api/processImage${query}`, { method: 'POST', body, headers }));
  if (asked.status === 200) keepAnswer(asked.headers.get('content-type') ?? '', asked.text);
  return asked;
}

/** Gets a route of the app, by its path below `/api/`. */
export async function get(url: string, path: string): Promise<Asked> {
  return read(await checkedFetch(`${url}/api/${path}`));
}

/** `fetch`, for clients that take one: resolves when all of the body has come and openapi.json knows of everything in it. */
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
