import http from 'node:http';
import { text } from 'node:stream/consumers';
import { readyMade } from '../ready-made.ts';

const endpoint = `${process.env['AZURE_OPENAI_ENDPOINT']}openai/deployments/${process.env['AZURE_OPENAI_DEPLOYMENT']}/chat/completions`;
const agent = new http.Agent({ keepAlive: true });
/** By the size of the image. */
const prepared = new Map(
  process.env['READY_MADE_FOR']?.split(',').map((bytes) => [Number(bytes), readyMade(Number(bytes))]),
);

/** Sends what was made beforehand for an image of so many bytes; undefined if nothing was. */
export async function askReadyMade(imageBytes: number): Promise<string | undefined> {
  const body = prepared.get(imageBytes);
  return body && contentOf(await send(body));
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
