/** The least that any app can do behind this entry: hold the body, and write a request that was made beforehand. */
import http from 'node:http';
import { text } from 'node:stream/consumers';
import { app, type HttpRequest, type HttpResponseInit } from '@azure/functions';
import { readyMade } from '../ready-made.ts';

const endpoint = `${process.env['AZURE_OPENAI_ENDPOINT']}openai/deployments/${process.env['AZURE_OPENAI_DEPLOYMENT']}/chat/completions`;
const agent = new http.Agent({ keepAlive: true });
/** By the size of the image. */
const prepared = new Map(
  process.env['READY_MADE_FOR']?.split(',').map((bytes) => [Number(bytes), readyMade(Number(bytes))]),
);

app.setup({ enableHttpStream: true });
app.http('processImage', { methods: ['POST'], authLevel: 'anonymous', handler: processImage });

async function processImage(request: HttpRequest): Promise<HttpResponseInit> {
  const image = await read(request);
  const body = prepared.get(image.length);
  return body ? { body: contentOf(await send(body)) } : { status: 500 };
}

async function read(request: HttpRequest): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(request.body ?? []));
}

function send(body: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': body.length, authorization: 'Bearer any' };
    const request = http.request(endpoint, { method: 'POST', agent, headers }, (response) => resolve(text(response)));
    request.on('error', reject);
    request.end(body);
  });
}

function contentOf(completion: string): string {
  return JSON.parse(completion).choices[0].message.content;
}
