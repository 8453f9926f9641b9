import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';

test('the benchmark uses the same kind of Azure credential as the deployed app', async () => {
  const [deployed, measured] = await Promise.all(
    ['../../infra/settings.bicep', 'upstream.ts'].map(async (path) => {
      const text = await readFile(new URL(path, import.meta.url), 'utf8');
      return /AZURE_TOKEN_CREDENTIALS: '(\w+)'/.exec(text)?.[1];
    }),
  );
  expect(deployed).toBeDefined();
  expect(measured).toBe(deployed);
});
