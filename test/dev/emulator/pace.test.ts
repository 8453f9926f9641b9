import { expect, test } from 'vitest';
import { startAzure } from '../../../src/dev/emulator/azure.ts';
import { tokenFor } from './client.ts';

test('wordDelayMs does not delay a token, because it is not streamed', async () => {
  const azure = await startAzure({ wordDelayMs: 500 });
  const started = performance.now();
  await tokenFor('https://pace.example', azure);
  expect(performance.now() - started).toBeLessThan(400);
  azure.close();
});
