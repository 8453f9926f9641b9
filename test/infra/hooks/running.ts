import { onTestFinished } from 'vitest';
import type { EmulatedAzure } from '../../../src/dev/emulator/azure.ts';
import { startBoth } from '../../e2e/app.ts';

/** Starts the built app and an emulated Azure. Both stop after the test. */
export async function running(env: Record<string, string> = {}): Promise<{ url: string; azure: EmulatedAzure }> {
  const { app, azure } = await startBoth(env);
  onTestFinished(async () => {
    await app.stop();
    azure.close();
  });
  return { url: app.url, azure };
}
