import type { ServerResponse } from 'node:http';
import type { Response } from '../http/create-handler.ts';
import { lingerAfterAnswer } from '../http/linger.ts';

/**
 * Writes a response as it comes.
 * @param headers - further ones
 * @param closes - whether the connection ends with it
 */
export async function writeResponse(
  response: ServerResponse,
  { status, headers, body }: Response,
  { further, closes }: { readonly further: Readonly<Record<string, string>>; readonly closes: boolean },
): Promise<void> {
  if (response.destroyed) return;
  const { req } = response;
  // What is still to come of the request would otherwise have to be read before the next one.
  const isEarly = !req.complete;
  if (isEarly) lingerAfterAnswer(req);
  const all = { ...headers, ...further, ...(isEarly || closes ? { connection: 'close' } : {}) };
  if (typeof body === 'string') {
    response.writeHead(status, { ...all, 'content-length': Buffer.byteLength(body) }).end(body);
    return;
  }
  response.writeHead(status, all).flushHeaders();
  for await (const chunk of body) {
    if (response.destroyed) return;
    response.write(chunk);
  }
  response.end();
}
