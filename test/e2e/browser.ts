import { type Browser, chromium } from 'playwright-core';
import { inject } from 'vitest';

declare module 'vitest' {
  interface ProvidedContext {
    /** The URL that answers with the address of the browser of this run. */
    readonly browser: string;
  }
}

/** Connects to the browser that all tests of this run share. `close()` ends the connection and its pages, not the browser. */
export async function openBrowser(): Promise<Browser> {
  const response = await fetch(inject('browser'));
  const said = await response.text();
  if (!response.ok) throw new Error(said);
  return chromium.connect(said);
}
