/**
 * The minimum work of an app that calls the OpenAI SDK: as the floor, but the SDK makes the request. Its `fetch` sends
 * the body that was made beforehand.
 */
import { app, type HttpRequest, type HttpResponseInit } from '@azure/functions';
import { AzureOpenAI } from 'openai';
import { sendReadyMade } from './ask-ready-made.ts';

const client = new AzureOpenAI({ azureADTokenProvider: async () => 'any', fetch: fetchReadyMade });

app.setup({ enableHttpStream: true });
app.http('processImage', { methods: ['POST'], authLevel: 'anonymous', handler: processImage });

async function processImage(request: HttpRequest): Promise<HttpResponseInit> {
  const image = Buffer.concat(await Array.fromAsync(request.body ?? []));
  const completion = await client.chat.completions.create({
    model: 'vision',
    messages: [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'What is in this picture?' },
          { type: 'image_url', image_url: { url: `${image.length} bytes` } },
        ],
      },
    ],
    max_completion_tokens: 4096,
  });
  return { body: completion.choices[0]?.message.content ?? '' };
}

async function fetchReadyMade(_url: unknown, { body, headers }: RequestInit = {}): Promise<Response> {
  const [, imageBytes] = /"(\d+) bytes"/.exec(typeof body === 'string' ? body : '') ?? [];
  const answer = await sendReadyMade(Number(imageBytes), Object.fromEntries(new Headers(headers)));
  const status = answer === undefined ? 500 : 200;
  return new Response(answer ?? null, { status, headers: { 'content-type': 'application/json' } });
}
