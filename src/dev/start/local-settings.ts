import { existsSync, readFileSync } from 'node:fs';
import { loadEnvFile } from 'node:process';
import { z } from 'zod';

const LocalSettings = z.object({
  IsEncrypted: z.literal(false, 'is encrypted; decrypt it with: func settings decrypt').default(false),
  Values: z.record(z.string(), z.string('must be a text, in quotes')).default({}),
});

/**
 * Completes the environment as `func start` does, from `local.settings.json` and then from `.env`. What is set already
 * stays.
 */
export function loadLocalSettings(): void {
  for (const [name, value] of Object.entries(readValues('local.settings.json'))) process.env[name] ??= value;
  if (existsSync('.env')) loadEnvFile('.env');
}

function readValues(file: string): Record<string, string> {
  if (!existsSync(file)) return {};
  const text = readFileSync(file, 'utf8').replace(/^\uFEFF/, '');
  const { data, error } = LocalSettings.safeParse(parseJson(file, text));
  if (data) return data.Values;
  const faults = error.issues.map(({ path, message }) => `  ${path.join('.')} ${message}`);
  throw new Error(`${file} needs attention (local.settings.sample.json shows how it looks):\n${faults.join('\n')}`);
}

function parseJson(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    // V8's message quotes the text around the fault, which may be a secret.
    throw new Error(`${file} is not JSON. Compare it with local.settings.sample.json.`, { cause: error });
  }
}
