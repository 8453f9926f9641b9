import { existsSync, readFileSync } from 'node:fs';
import { loadEnvFile } from 'node:process';
import * as v from 'valibot';

const LocalSettings = v.object({
  IsEncrypted: v.optional(v.literal(false, 'is encrypted; decrypt it with: func settings decrypt'), false),
  Values: v.optional(v.record(v.string(), v.string('must be a string, in quotes')), {}),
});

/**
 * Adds settings to the environment from `local.settings.json`, as `func start` does, and then from `.env`. Variables
 * that are already set do not change.
 * @throws {Error} if `local.settings.json` is not valid
 */
export function loadLocalSettings(): void {
  for (const [name, value] of Object.entries(readValues('local.settings.json'))) process.env[name] ??= value;
  if (existsSync('.env')) loadEnvFile('.env');
}

function readValues(file: string): Record<string, string> {
  if (!existsSync(file)) return {};
  const text = readFileSync(file, 'utf8').replace(/^\uFEFF/, '');
  const settings = v.safeParse(LocalSettings, parseJson(file, text));
  if (settings.success) return settings.output.Values;
  const faults = settings.issues.map((issue) => `  ${v.getDotPath(issue) ?? ''} ${issue.message}`);
  throw new Error(`${file} needs attention (local.settings.sample.json shows how it looks):\n${faults.join('\n')}`);
}

function parseJson(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    // V8's message quotes the text around the fault, which may be a secret, so this message replaces it.
    throw new Error(`${file} is not JSON. Compare it with local.settings.sample.json.`, { cause: error });
  }
}
