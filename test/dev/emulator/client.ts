import { DefaultAzureCredential, getBearerTokenProvider } from '@azure/identity';
import { AzureOpenAI } from 'openai';
import { vi } from 'vitest';
import * as v from 'valibot';
import type { EmulatedAzure } from '../../../src/dev/emulator/azure.ts';

/** Creates the real SDK's client, with the real credential. Both use the emulated Azure, and nothing is retried. */
export function createClient({ env }: EmulatedAzure): AzureOpenAI {
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  return new AzureOpenAI({
    azureADTokenProvider: getBearerTokenProvider(
      new DefaultAzureCredential(),
      'https://cognitiveservices.azure.com/.default',
    ),
    endpoint: env['AZURE_OPENAI_ENDPOINT'] ?? '',
    deployment: env['AZURE_OPENAI_DEPLOYMENT'] ?? '',
    apiVersion: '2024-10-21',
    maxRetries: 0,
  });
}

/** Gets a token for any resource directly from the emulated identity endpoint. */
export async function tokenFor(resource: string, { env }: EmulatedAzure): Promise<string> {
  const query = new URLSearchParams({ 'api-version': '2019-08-01', resource });
  const headers = { 'x-identity-header': env['IDENTITY_HEADER'] ?? '' };
  const response = await fetch(`${env['IDENTITY_ENDPOINT']}?${query.toString()}`, { headers });
  return v.parse(v.object({ access_token: v.string() }), await response.json()).access_token;
}

/** Returns an image as a data URL, which is what the model accepts. */
export function dataUrl(type: string, image: Buffer): string {
  return `data:${type};base64,${image.toString('base64')}`;
}

/** Sends a request without the SDK. It is signed in, unless `authorization` replaces the header. */
export async function post(
  azure: EmulatedAzure,
  path: string,
  body: unknown,
  authorization?: string,
): Promise<{ status: number; error?: unknown }> {
  const signedIn = `Bearer ${await tokenFor('https://cognitiveservices.azure.com/', azure)}`;
  const response = await fetch(new URL(path, azure.env['AZURE_OPENAI_ENDPOINT']), {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: authorization ?? signedIn },
    body: JSON.stringify(body),
  });
  const { error } = v.parse(v.looseObject({ error: v.optional(v.unknown()) }), await response.json());
  return { status: response.status, error };
}

/** Returns everything that a stream yields. */
export async function collect<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const one of stream) all.push(one);
  return all;
}

/** Returns a user's message with a question and images. */
export function question(text: string, ...urls: string[]) {
  return {
    role: 'user' as const,
    content: [
      { type: 'text' as const, text },
      ...urls.map((url) => ({ type: 'image_url' as const, image_url: { url } })),
    ],
  };
}
