/**
 * The tutorial's way, which most apps use: the image is written to a file and read again, its type comes from the
 * extension of the file, each request makes its own credential and client, and the SDK turns the image into JSON.
 */
import { randomUUID } from 'node:crypto';
import { readFile, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { app, type HttpRequest, type HttpResponseInit } from '@azure/functions';
import { DefaultAzureCredential, getBearerTokenProvider } from '@azure/identity';
import { AzureOpenAI } from 'openai';

const mimeTypes: Record<string, string> = {
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.webp': 'image/webp',
  '.gif': 'image/gif',
};

app.setup({ enableHttpStream: true });
app.http('processImage', { methods: ['POST'], authLevel: 'anonymous', handler: processImage });

async function processImage(request: HttpRequest): Promise<HttpResponseInit> {
  const file = join(tmpdir(), `${randomUUID()}.jpg`);
  try {
    await writeFile(file, Buffer.from(await request.arrayBuffer()));
    return { body: await askAbout(await toDataUrl(file), request.query.get('instructions') ?? '') };
  } finally {
    await unlink(file);
  }
}

async function toDataUrl(file: string): Promise<string> {
  const base64 = (await readFile(file)).toString('base64');
  return `data:${mimeTypes[extname(file)]};base64,${base64}`;
}

async function askAbout(url: string, instructions: string): Promise<string> {
  const completion = await createClient().chat.completions.create({
    model: process.env['AZURE_OPENAI_DEPLOYMENT'] ?? '',
    messages: [
      { role: 'system', content: 'You are a helpful assistant.' },
      {
        role: 'user',
        content: [
          { type: 'text', text: instructions },
          { type: 'image_url', image_url: { url } },
        ],
      },
    ],
    max_completion_tokens: 2000,
  });
  return completion.choices[0]?.message.content ?? '';
}

function createClient(): AzureOpenAI {
  const azureADTokenProvider = getBearerTokenProvider(
    new DefaultAzureCredential(),
    'https://cognitiveservices.azure.com/.default',
  );
  return new AzureOpenAI({ azureADTokenProvider, deployment: process.env['AZURE_OPENAI_DEPLOYMENT'] ?? '' });
}
