import type { Browser } from 'playwright-core';
import type { AzureOptions, EmulatedAzure } from '../../src/dev/emulator/azure.ts';
import { type App, startBoth } from './app.ts';
import { openBrowser } from './browser.ts';

/** What a test of the playground needs, apart from a visitor. */
export interface Playground {
  readonly app: App;
  readonly azure: EmulatedAzure;
  readonly browser: Browser;
  stop(): Promise<void>;
}

/** Starts an emulated Azure, the built app and a browser. */
export async function startPlayground(
  env: Readonly<Record<string, string>> = {},
  options: AzureOptions = {},
): Promise<Playground> {
  const { app, azure } = await startBoth(env, options);
  const browser = await openBrowser();
  return {
    app,
    azure,
    browser,
    async stop() {
      await Promise.all([browser.close(), app.stop()]);
      azure.close();
    },
  };
}
