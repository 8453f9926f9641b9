import { expect, test } from 'vitest';
import { startAzure } from '../../../src/dev/emulator/azure.ts';
import { tokenFor } from './client.ts';

test('the pace is that of streams: what comes in one piece comes at once', async () => {
  const azure = await startAzure({ wordDelayMs: 500 });
  const started = performance.now();
  await tokenFor('https://pace.example', azure);
  expect(performance.now() - started).toBeLessThan(400);
  azure.close();
});
