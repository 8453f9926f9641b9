import { existsSync, readFileSync } from 'node:fs';
import { loadEnvFile } from 'node:process';
import { z } from 'zod';

const LocalSettings = z.object({ Values: z.record(z.string(), z.string()).default({}) });

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
  try {
    return LocalSettings.parse(JSON.parse(readFileSync(file, 'utf8'))).Values;
  } catch (error) {
    throw new Error(`${file} cannot be used: it must be JSON with texts under "Values", as in local.settings.sample.json.`, { cause: error });
  }
}
