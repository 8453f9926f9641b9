/** The way of the better samples: one client for all requests, no file, and the SDK turns the image into JSON. */
import { app, type HttpRequest, type HttpResponseInit } from '@azure/functions';
import { DefaultAzureCredential, getBearerTokenProvider } from '@azure/identity';
import { AzureOpenAI } from 'openai';

const deployment = process.env['AZURE_OPENAI_DEPLOYMENT'] ?? '';
const azureADTokenProvider = getBearerTokenProvider(
  new DefaultAzureCredential(),
  'https://cognitiveservices.azure.com/.default',
);
const client = new AzureOpenAI({ azureADTokenProvider, deployment });

app.setup({ enableHttpStream: true });
app.http('processImage', { methods: ['POST'], authLevel: 'anonymous', handler: processImage });

async function processImage(request: HttpRequest): Promise<HttpResponseInit> {
  const base64 = Buffer.from(await request.arrayBuffer()).toString('base64');
  const completion = await client.chat.completions.create({
    model: deployment,
    messages: [
      { role: 'system', content: 'You are a helpful assistant.' },
      {
        role: 'user',
        content: [
          { type: 'text', text: request.query.get('instructions') ?? '' },
          { type: 'image_url', image_url: { url: `data:image/jpeg;base64,${base64}` } },
        ],
      },
    ],
    max_completion_tokens: 2000,
  });
  return { body: completion.choices[0]?.message.content ?? '' };
}
