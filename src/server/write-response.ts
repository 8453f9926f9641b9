import type { ServerResponse } from 'node:http';
import type { Response } from '../http/create-handler.ts';
import { lingerAfterAnswer } from '../http/linger.ts';

/**
 * Writes a response. A streamed body is written as it arrives.
 * @param further - headers to add to those of the response, which they override
 * @param closes - whether to close the connection afterwards
 */
export async function writeResponse(
  response: ServerResponse,
  { status, headers, body }: Response,
  { further, closes }: { readonly further: Readonly<Record<string, string>>; readonly closes: boolean },
): Promise<void> {
  if (response.destroyed) return;
  const { req } = response;
  // Close the connection if the request is not read to its end. Otherwise the rest would have to be read first.
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
