/** The minimum work of any server: read the body, and send a request that was made beforehand. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { askReadyMade } from './ask-ready-made.ts';

createServer((request, response) => {
  processImage(request, response).catch(() => response.destroy());
}).listen(Number(process.env['PORT']), '127.0.0.1');

async function processImage(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const image = await bodyOf(request);
  const answer = await askReadyMade(image.length);
  response.writeHead(answer === undefined ? 500 : 200).end(answer);
}

/** With a Content-Length, the buffer has its final size from the start, and each byte is copied only once. */
async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const { 'content-length': length } = request.headers;
  if (length === undefined) return Buffer.concat(await request.toArray());
  const body = Buffer.allocUnsafeSlow(Number(length));
  let at = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) at += chunk.copy(body, at);
  return body;
}
