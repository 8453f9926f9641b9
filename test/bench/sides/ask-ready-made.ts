import http, { type OutgoingHttpHeaders } from 'node:http';
import { text } from 'node:stream/consumers';
import { readyMade } from '../ready-made.ts';

const endpoint = `${process.env['AZURE_OPENAI_ENDPOINT']}openai/deployments/${process.env['AZURE_OPENAI_DEPLOYMENT']}/chat/completions`;
const HEADERS = { 'content-type': 'application/json', authorization: 'Bearer any' };
const agent = new http.Agent({ keepAlive: true });
/** The requests that were made beforehand, by the size of their image in bytes. */
const prepared = new Map(
  process.env['READY_MADE_FOR']?.split(',').map((bytes) => [Number(bytes), readyMade(Number(bytes))]),
);

/** Sends the request that was made for an image of this size, and returns the answer. Undefined if there is none. */
export async function askReadyMade(imageBytes: number): Promise<string | undefined> {
  const completion = await sendReadyMade(imageBytes, HEADERS);
  return completion && contentOf(completion);
}

/** Does the same with other headers, and returns the whole completion. */
export async function sendReadyMade(
  imageBytes: number,
  headers: Readonly<Record<string, string>>,
): Promise<string | undefined> {
  const body = prepared.get(imageBytes);
  return body && send(body, { ...headers, 'content-length': body.length });
}

function send(body: Buffer, headers: OutgoingHttpHeaders): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = http.request(endpoint, { method: 'POST', agent, headers }, (response) => resolve(text(response)));
    request.on('error', reject);
    request.end(body);
  });
}

function contentOf(completion: string): string {
  return JSON.parse(completion).choices[0].message.content;
}
