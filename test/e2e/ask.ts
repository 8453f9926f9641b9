/** What came back, with the body read. */
export interface Asked {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON; fails where it is none. */
  json(): Record<string, unknown>;
}

/** Posts an image as raw bytes, under a Content-Type that is a lie for most of them. */
export async function ask(url: string, image: Uint8Array, init: { query?: Record<string, string>; headers?: Record<string, string> } = {}): Promise<Asked> {
  const query = new URLSearchParams(init.query ?? { instructions: 'What is this?' });
  return post(url, new Uint8Array(image), { 'content-type': 'image/png', ...init.headers }, `?${query.toString()}`);
}

/** Posts any body to processImage. */
export async function post(url: string, body: string | FormData | Uint8Array<ArrayBuffer>, headers: Record<string, string>, query = ''): Promise<Asked> {
  const response = await fetch(`${url}/api/processImage${query}`, { method: 'POST', body, headers });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: () => JSON.parse(text) as Record<string, unknown> };
}
